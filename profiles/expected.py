# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings that the vendor knows of."""

from typing import Literal

from pydantic import Field

from profiles.table import Table, Text


class Expected(Table):
    """A requirement that the device is known to break; the verdict stays, the exit code says "as expected"."""

    requirement: Text = Field(description="id of the requirement")
    verdict: Literal["FAIL", "DEVIATION"] = Field(description="what it comes to: a broken must or a broken should")
    reason: Text = Field(description="why that is known, for whoever reads the certificate")
