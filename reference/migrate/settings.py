# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be configured of TCP Migrate: the table `migrate` of DUT_CONFIG."""

from dataclasses import dataclass

from reference.system.configuration import Table

TIME_WAIT_S = 60.0


@dataclass(frozen=True)
class Settings:
    """Numbers and choices that the draft leaves open."""

    permitted_kind: int = 15
    option_kind: int = 16
    curve: int = 1  # by which number the 192-bit curve is known
    is_secure: bool = True
    is_insecure: bool = True
    offers_secure: bool = False
    wait_s: float = TIME_WAIT_S
    give_up_s: float = 30.0

    @classmethod
    def read(cls, table: Table) -> "Settings":
        """Check the table."""
        return cls(
            permitted_kind=table.integer("permitted_kind", 9, 255, 15),
            option_kind=table.integer("option_kind", 9, 255, 16),
            curve=table.integer("curve", 1, 255, 1),
            is_secure=bool(table.value.get("secure", True)),
            is_insecure=bool(table.value.get("insecure", True)),
            offers_secure=table.choice("offers", ("insecure", "secure"), "insecure") == "secure",
            wait_s=_seconds(table, "wait_s", TIME_WAIT_S),
            give_up_s=_seconds(table, "give_up_s", 30.0),
        )


def _seconds(table: Table, key: str, default: float) -> float:
    """A time; the default where the configuration has none, or null."""
    return default if table.value.get(key) is None else float(table.number(key, 0.0, 3600.0))
