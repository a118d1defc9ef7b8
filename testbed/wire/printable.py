# SPDX-License-Identifier: GPL-2.0-or-later
"""Text of a device as it may reach a console, a page or a file."""


def printable(text: str) -> str:
    """The text on one line, with every character that has no shape of its own spelled out: `\\x1b`, `\\u202e`, `\\n`.

    Such are control characters but the tab, half surrogates, marks of direction and separators of lines.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\t" else one.encode("unicode_escape").decode() for one in text)
