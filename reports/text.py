# SPDX-License-Identifier: GPL-2.0-or-later
"""Text that came from a device, made harmless and comparable for people's eyes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from markupsafe import Markup, escape
from pydantic import JsonValue

from reports.entries import Difference

# Everything that has no shape of its own and could hide or reorder what stands beside it: control characters but tab
# and newline, half surrogates, and Unicode's format characters (direction overrides, zero width, tags).
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u070f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_TOKEN = re.compile(r"\s+|[^\s,;()\[\]{}=]+|.", re.DOTALL)
_MOST_TOKENS = 600
Span = tuple[int, int]


def _spelled(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str) -> str:
    """The text with every invisible or direction-changing character spelled out, `\\x1b` or `\\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub(_spelled, text.replace("\r\n", "\n"))


def slug(identifier: str) -> str:
    """An HTML id and file name for a case id: readable, the same in every run, never shared by two cases."""
    readable = re.sub(r"[^A-Za-z0-9_.]+", "-", identifier.rsplit("/", 1)[-1]).strip("-")[:80]
    return f"{readable}-{hashlib.sha256(visible(identifier).encode()).hexdigest()[:8]}"


def as_text(value: JsonValue) -> str:
    """A declared value as people write it: text bare, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def flatten(values: dict[str, JsonValue], prefix: str = "") -> dict[str, str]:
    """Nested tables as one table with dotted keys."""
    flat: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = as_text(value)
    return flat


def span(seconds: float) -> str:
    """A length of time for people."""
    if seconds >= 60:
        return f"{int(seconds // 60)} min {seconds % 60:.0f} s"
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def hexdump(digits: str) -> str:
    """Bytes in hexadecimal, 16 a line, with the offset in front."""
    pairs = [digits[i : i + 2] for i in range(0, len(digits), 2)]
    return "\n".join(f"{i:04x}  {' '.join(pairs[i : i + 16])}" for i in range(0, len(pairs), 16))


def layers(fields: Iterable[tuple[str, str, str]]) -> str:
    """Decoded fields as text: the layer on a line, its fields below, name and value parted by a tab."""
    lines: list[str] = []
    last = None
    for layer, field, value in fields:
        if layer != last:
            lines.append(layer)
            last = layer
        lines.append(f" {field}\t{value}")
    return "\n".join(lines)


def compared(expected: str, seen: str, differences: Sequence[Difference]) -> tuple[Markup, Markup]:
    """Expected and seen as HTML, with the parts marked in which they differ.

    The fields that the suite named are looked up in both texts; without them the words are compared. Two texts that
    have little in common are left unmarked: everything marked says nothing.
    """
    expected, seen = visible(expected), visible(seen)
    left = [span for d in differences for span in _field(expected, visible(d.field), visible(d.expected))]
    right = [span for d in differences for span in _field(seen, visible(d.field), visible(d.seen))]
    if not left and not right:
        left, right = _words(expected, seen)
    return _marked(expected, left), _marked(seen, right)


def _field(text: str, field: str, value: str) -> list[Span]:
    pattern = rf"(?<![\w.]){re.escape(field)}\s*[=:]?\s*{re.escape(value)}(?!\w)"
    return [match.span() for match in re.finditer(pattern, text)]


def _words(expected: str, seen: str) -> tuple[list[Span], list[Span]]:
    left, right = (list(_TOKEN.finditer(text)) for text in (expected, seen))
    if not left or not right or max(len(left), len(right)) > _MOST_TOKENS:
        return [], []
    matcher = SequenceMatcher(None, [m[0] for m in left], [m[0] for m in right], autojunk=False)
    if matcher.ratio() < 0.5:
        return [], []
    spans: tuple[list[Span], list[Span]] = ([], [])
    for kind, *bounds in matcher.get_opcodes():
        if kind == "equal":
            continue
        for side, tokens, (start, end) in ((0, left, bounds[:2]), (1, right, bounds[2:])):
            if start < end:
                spans[side].append((tokens[start].start(), tokens[end - 1].end()))
    return spans


def _marked(text: str, spans: list[Span]) -> Markup:
    parts: list[Markup] = []
    position = 0
    for start, end in sorted(spans):
        if end <= position:
            continue
        start = max(start, position)
        parts += [escape(text[position:start]), Markup("<mark>"), escape(text[start:end]), Markup("</mark>")]
        position = end
    parts.append(escape(text[position:]))
    return Markup("").join(parts)
