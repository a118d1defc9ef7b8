# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of a profile, and tables that there is one of for each link."""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, model_validator

SIDES = ("inside", "outside")
"""The links of a device in the middle; other devices have one, which is called `link`."""


class Table(BaseModel):
    """A table of the profile: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


T = TypeVar("T")


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
