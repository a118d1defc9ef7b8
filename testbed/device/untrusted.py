# SPDX-License-Identifier: GPL-2.0-or-later
"""What a device writes: hostile input, read into plain data of a bounded size, or refused."""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from testbed.wire.printable import printable


class Line(NamedTuple):
    """A line without its end; `cut` is the number of its bytes that were not kept."""

    content: bytes
    cut: int


class Lines:
    """Splits what comes in parts into lines, of which the first `longest` bytes are kept."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._begun = bytearray()
        self._cut = 0

    @property
    def size(self) -> int:
        """The length of the line that has begun and has no end yet."""
        return len(self._begun) + self._cut

    def take(self, data: bytes) -> Iterator[Line]:
        """The lines that end in `data`."""
        first, *others = data.split(b"\n")
        self._add(first)
        for part in others:
            yield self.end()
            self._add(part)

    def end(self) -> Line:
        """What there is of the line that has begun, and begin another one."""
        line = Line(bytes(self._begun), self._cut)
        self._begun.clear()
        self._cut = 0
        return line

    def _add(self, part: bytes) -> None:
        room = self._longest - len(self._begun)
        self._begun += part[:room]
        self._cut += max(0, len(part) - room)


def read_text(data: bytes) -> str:
    """Bytes of a device as text on one line, whatever they are."""
    return printable(data.decode(errors="backslashreplace"))


def read_json(line: bytes) -> Any:
    """The value of a line of JSON, every text in it printable. ValueError for whatever else it is."""
    try:
        return with_texts(json.loads(line.decode(errors="backslashreplace")), printable)
    except RecursionError:
        raise ValueError("nested too deep") from None


def with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Plain data with every text in it, keys too, as `change` has it."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {with_texts(key, change): with_texts(inner, change) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [with_texts(inner, change) for inner in value]
    return value


def without_surrogates(text: str) -> str:
    """The text with half surrogates written out, as \\ud800: UTF-8 has none."""
    return text.encode(errors="backslashreplace").decode()
