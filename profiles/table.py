# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tables of a profile have in common: no unknown keys, no changes, and the kinds of values."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Table(BaseModel):
    """A table of the profile. Each field's description is what docs/profile.md says of the key."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


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
