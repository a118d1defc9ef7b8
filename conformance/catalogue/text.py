# SPDX-License-Identifier: GPL-2.0-or-later
"""The specification texts: pages converted to text, with the traces of that, and quotes found in them."""

import bisect
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

ARTEFACTS = (
    (re.compile(r"\$\\underline\{(.*?)\}\$"), r"\1"),
    (re.compile(r"</?u>"), ""),
    (re.compile(r"\*\*"), ""),
    (re.compile(r"^ *```\w*$", re.MULTILINE), ""),
    (re.compile(r"\\([_*])"), r"\1"),
)
"""Underlining, bold, fences round figures and escaped characters: left by the conversion, no part of the text."""

BOUNDARY = re.compile(
    r"""
      \n\s*\n                                            # a blank line
    | (?<=[.!?])(?<!\d\.)["')]*\s+(?=["'(*]?[A-Z])      # the end of a sentence, not of a section's number
    | \n\s*(?=(?:[-*•]|o|[0-9]+\.|[a-z]\.)\s)            # a list item
    | (?<=bit\)|its\)|lds\))\n                           # the name of a field
    """,
    re.VERBOSE,
)


class Span(NamedTuple):
    """A stretch of a text."""

    start: int
    end: int

    def overlaps(self, other: "Span") -> bool:
        """Whether the two have a character in common."""
        return self.start < other.end and other.start < self.end


def clean(text: str) -> str:
    """The text without traces of the conversion; lines stay as they are."""
    for pattern, replacement in ARTEFACTS:
        text = pattern.sub(replacement, text)
    return text


def fold(text: str) -> str:
    """The text without traces of the conversion, every run of white space one blank."""
    return " ".join(clean(text).split())


def quote_occurs(quote: str, specification: str) -> bool:
    """Whether the specification says these words, wherever its lines break."""
    return bool(quote.strip()) and fold(quote) in fold(specification)


class SpecificationText:
    """A specification, cut into sections by the words each begins with, in which quotes can be found.

    `text` is what to show. Spans are positions in it.
    """

    def __init__(self, text: str, begins: Mapping[str, str] | None = None) -> None:
        self.text = clean(text)
        words = [Span(*match.span()) for match in re.finditer(r"\S+", self.text)]
        self._words = words
        self._folded = " ".join(self.text[start:end] for start, end in words)
        self._offsets = [0]
        for start, end in words[:-1]:
            self._offsets.append(self._offsets[-1] + end - start + 1)
        self.missing: tuple[str, ...] = ()
        """Sections whose first words are not in the text, or not after the section before."""
        self.sections = self._cut(begins or {})

    def _cut(self, begins: Mapping[str, str]) -> dict[str, Span]:
        """Where each section stands; it ends where the next begins."""
        starts: dict[str, int] = {}
        position = 0
        missing = []
        for section, words in begins.items():
            found = self._folded.find(fold(words), position)
            if found < 0:
                missing.append(section)
                continue
            starts[section] = self._original(found).start
            position = found + 1
        self.missing = tuple(missing)
        ends = [*list(starts.values())[1:], len(self.text)]
        return {section: Span(start, end) for (section, start), end in zip(starts.items(), ends, strict=True)}

    def _original(self, position: int) -> Span:
        """The word of the text that stands at this position of the folded text, from there on."""
        index = bisect.bisect_right(self._offsets, position) - 1
        word = self._words[index]
        return Span(word.start + position - self._offsets[index], word.end)

    def find(self, quote: str, section: str | None = None) -> list[Span]:
        """Every place where these words stand, in that section or in the whole text."""
        wanted = fold(quote)
        within = self.sections.get(section, Span(0, 0)) if section is not None else Span(0, len(self.text))
        found = []
        position = self._folded.find(wanted) if wanted else -1
        while position >= 0:
            last = self._original(position + len(wanted) - 1)
            span = Span(self._original(position).start, last.start + 1)
            if within.start <= span.start and span.end <= within.end:
                found.append(span)
            position = self._folded.find(wanted, position + 1)
        return found

    def sentences(self, section: str) -> Iterator[Span]:
        """The sentences, headings, list items and figures of a section; the white space between them is left out."""
        whole = self.sections[section]
        position = whole.start
        for boundary in BOUNDARY.finditer(self.text, whole.start, whole.end):
            yield from self._trimmed(position, boundary.start())
            position = boundary.end()
        yield from self._trimmed(position, whole.end)

    def _trimmed(self, start: int, end: int) -> Iterator[Span]:
        """The stretch without the white space at its ends; nothing where there is nothing else."""
        body = self.text[start:end]
        if body.strip():
            yield Span(start + len(body) - len(body.lstrip()), start + len(body.rstrip()))
