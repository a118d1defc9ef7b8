# SPDX-License-Identifier: GPL-2.0-or-later
"""What a catalogue file may hold, and the collection of all requirements."""

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from conformance.catalogue.text import SpecificationText

FOLDER = Path(__file__).parents[1]
"""Where the folders of the protocols lie, each with the two files below."""

REQUIREMENTS, SPECIFICATION = "requirements.toml", "specification.txt"

Strength = Literal["M", "S", "I"]
"""M must: breaking it fails the role. S should: breaking it is a deviation. I information: measured or reported."""


class CatalogueError(ValueError):
    """The catalogue cannot be used, or does not hold what was asked for; the message is one line."""


def _one_line(value: object) -> object:
    """Line breaks of the file are white space: texts are wrapped to be readable."""
    return " ".join(value.split()) if isinstance(value, str) else value


def _check_key(key: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+\.[a-z0-9_]+", key):
        raise ValueError("a key of the profile is two lower-case words and a dot: mops.rate_limit_s")
    return key


Text = Annotated[str, BeforeValidator(_one_line), Field(min_length=1)]
ProfileKey = Annotated[str, AfterValidator(_check_key)]
SectionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9]+(\.[A-Za-z0-9]+)*$")]


class Entry(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Requirement(Entry):
    """One normative statement of a specification, as something a device does or does not do.

    It applies where all the claims of `ics` are made; its cases depend on the values of `ixit`. `unsolicited`: a
    message that nothing asked for breaks this one, whatever the case is about in which it comes.
    """

    protocol: str
    specification: str
    id: Annotated[str, Field(pattern=r"^[A-Z]+-[A-Za-z0-9.]+-[0-9]{2,3}$")]
    section: SectionId
    roles: Annotated[tuple[str, ...], Field(min_length=1)]
    strength: Strength
    quote: Text
    also: tuple[Text, ...] = ()
    statement: Text
    reading: Annotated[str, BeforeValidator(_one_line)] = ""
    justification: Annotated[str, BeforeValidator(_one_line)] = ""
    ics: tuple[ProfileKey, ...] = ()
    ixit: tuple[ProfileKey, ...] = ()
    no_case: Annotated[str, BeforeValidator(_one_line)] = ""
    unsolicited: bool = False

    @field_validator("justification")
    @classmethod
    def _justifies_a_must(cls, text: str, info: ValidationInfo) -> str:
        """What may be left out is nothing else: an entry with a wrong strength has an error of its own."""
        if info.data.get("strength", "M") != "M":
            raise ValueError('it says why a reading makes a must; allowed is none where strength is not "M"')
        if not info.data.get("reading", text):
            raise ValueError("it says why a reading makes a must; allowed is none without a reading")
        return text

    @property
    def quotes(self) -> tuple[str, ...]:
        """All the sentences of the specification that the requirement stands for."""
        return (self.quote, *self.also)


class Section(Entry):
    """A section of the specification and the words it begins with.

    For the roles of `complete` every must and should of it has a case or a reason.
    """

    id: SectionId
    title: Text
    begins: Text
    complete: tuple[str, ...] = ()


class Unnormative(Entry):
    """A section, or one sentence of it, that asks nothing of an implementation, and why."""

    section: SectionId
    reason: Text
    quote: Annotated[str, BeforeValidator(_one_line)] = ""


class Protocol(Entry):
    """The requirements of one protocol. `specification` is the document's name, `path` the file of its text.

    `title` and `revision` are what the document calls itself.
    """

    name: str
    specification: str
    title: str = ""
    revision: str = ""
    roles: tuple[str, ...]
    sections: tuple[Section, ...]
    requirements: tuple[Requirement, ...]
    unnormative: tuple[Unnormative, ...]
    path: Path

    def section(self, identifier: str) -> Section:
        """The section of that name; the loader has made sure that every entry's section is there."""
        return next(section for section in self.sections if section.id == identifier)

    def reason(self, section: str) -> str:
        """Why the whole section is without a requirement, or nothing."""
        return next((entry.reason for entry in self.unnormative if entry.section == section and not entry.quote), "")

    @functools.cached_property
    def text(self) -> SpecificationText:
        """The text of the specification, cut into its sections."""
        return SpecificationText(self.path.read_text(encoding="utf-8"), {s.id: s.begins for s in self.sections})


class Catalogue:
    """All requirements of all protocols, in the order of the files."""

    def __init__(self, protocols: tuple[Protocol, ...]) -> None:
        self.protocols = protocols
        self.requirements = tuple(entry for protocol in protocols for entry in protocol.requirements)
        self._by_id = {entry.id: entry for entry in self.requirements}
        self._unsolicited = {
            (entry.protocol, role): entry for entry in self.requirements if entry.unsolicited for role in entry.roles
        }

    def __iter__(self) -> Iterator[Requirement]:
        return iter(self.requirements)

    def __len__(self) -> int:
        return len(self.requirements)

    def __contains__(self, identifier: object) -> bool:
        return identifier in self._by_id

    def requirement(self, identifier: str) -> Requirement:
        """The requirement with that id; CatalogueError for an unknown one."""
        try:
            return self._by_id[identifier]
        except KeyError:
            raise CatalogueError(
                f"{identifier}: no such requirement; allowed are the ids in {FOLDER}/*/{REQUIREMENTS}"
            ) from None

    def protocol(self, name: str) -> Protocol:
        """The protocol of that name; CatalogueError for an unknown one."""
        for protocol in self.protocols:
            if protocol.name == name:
                return protocol
        allowed = ", ".join(protocol.name for protocol in self.protocols)
        raise CatalogueError(f"{name}: no such protocol; allowed are {allowed}")

    def unsolicited(self, protocol: str, role: str) -> Requirement | None:
        """The requirement that a device in this role breaks by a message that nothing asked for, where there is one."""
        return self._unsolicited.get((protocol, role))

    def select(
        self,
        *,
        protocol: str | None = None,
        role: str | None = None,
        section: str | None = None,
        strength: str | None = None,
    ) -> tuple[Requirement, ...]:
        """The requirements that agree with everything given."""
        return tuple(
            entry
            for entry in self.requirements
            if (protocol is None or entry.protocol == protocol)
            and (role is None or role in entry.roles)
            and (section is None or entry.section == section)
            and (strength is None or entry.strength == strength)
        )
