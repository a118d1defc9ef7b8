# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be configured of TCP Rehash: the table `rehash` of DUT_CONFIG."""

from dataclasses import dataclass

from reference.system.configuration import Table


@dataclass(frozen=True)
class Settings:
    """Numbers that the draft leaves open."""

    option_kind: int = 253
    max_retries: int = 5  # segments with REHASH-ADDR and no answer; 0: no maximum
    init_reissues: int = 3

    @classmethod
    def read(cls, table: Table) -> "Settings":
        """Check the table."""
        return cls(
            option_kind=table.integer("option_kind", 9, 255, 253),
            max_retries=table.integer("max_retries", 0, 100, 5),
            init_reissues=table.integer("init_reissues", 0, 100, 3),
        )
