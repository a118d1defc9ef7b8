# SPDX-License-Identifier: GPL-2.0-or-later
"""Who answers for an official certificate, and why values of its profile are not the defaults."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from profiles.table import Allowed, Table, Text


class Declaration(Table):
    """The table [declaration], which an official run needs and prints."""

    name: Text = Field(description="who declares that the device is as the profile says")
    role: Text = Field(description="what that person is in the organisation")
    organisation: Text = Field(description="the organisation")
    contact: Text = Field(description="where a question about the certificate goes")
    tested: Literal["self-tested", "lab-tested"] = Field(
        description="who ran the suite: the vendor, or a laboratory that does not depend on it"
    )
    laboratory: str = Field(default="", description="the laboratory, where one ran the suite")
    firmware_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$"), Allowed("64 hexadecimal digits")] = (
        Field(description="SHA-256 of the firmware or program that the device ran")
    )
    reasons: Annotated[dict[str, Text], Allowed("a table: a key of `ixit`, and why its value is not the default")] = (
        Field(default={}, description='for every value of `ixit` that is not the default, why: `"mops.retries" = ...`')
    )
