# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tables of a profile have in common: no unknown keys, no changes, and the kinds of values."""

from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator


class Table(BaseModel):
    """A table of the profile. Each field's description is what docs/profile.md says of the key."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


T = TypeVar("T")

SIDES = ("inside", "outside")
"""The links of a device in the middle; other devices have one, which is called `link`."""


class PerLink(Table, Generic[T]):
    """A table that stands once for each link: `[table]` for the only one, `[table.inside]` and `[table.outside]`."""

    link: T | None = None
    inside: T | None = None
    outside: T | None = None

    @model_validator(mode="before")
    @classmethod
    def _split(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        sides = {key: content[key] for key in SIDES if key in content}
        own = {key: value for key, value in content.items() if key not in sides}
        return {**({"link": own} if own or not sides else {}), **sides}

    def of(self, link: str) -> T | None:
        """The table of this link, if there is one."""
        return {"link": self.link, "inside": self.inside, "outside": self.outside}[link]

    @property
    def all(self) -> tuple[T, ...]:
        """The tables that are there."""
        return tuple(table for table in (self.link, self.inside, self.outside) if table is not None)


@dataclass(frozen=True)
class Allowed:
    """What is allowed for a key, in words, where its type alone does not say it."""

    words: str


Text = Annotated[str, StringConstraints(min_length=1), Allowed("text, not empty")]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Number8 = Annotated[int, Field(ge=0, le=255)]
Number16 = Annotated[int, Field(ge=0, le=0xFFFF)]
OptionKind = Annotated[int, Field(ge=2, le=255)]
TransportPort = Annotated[int, Field(ge=1, le=65535)]
