# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be configured of MOPS: the table `mops` of DUT_CONFIG."""

from dataclasses import dataclass

from reference.mops.capable import CapableSettings
from reference.system.configuration import Table


@dataclass(frozen=True)
class Settings:
    """Times are in seconds."""

    rate_limit_s: float = 5.0
    exact_sequence: bool = False
    retry_interval_s: float = 2.0
    retries: int = 3
    gateways: tuple[str, ...] = ()  # whom NAT acknowledgements come from, where that is known
    mobile_capable: CapableSettings | None = None  # without it the option is not used

    @classmethod
    def read(cls, table: Table) -> "Settings":
        """Check the table."""
        return cls(
            rate_limit_s=table.number("rate_limit_s", 0, 3600, 5.0),
            exact_sequence=table.choice("migrate_seq", ("window", "exact"), "window") == "exact",
            retry_interval_s=table.number("retry_interval_s", 0.01, 3600, 2.0),
            retries=table.integer("retries", 0, 100, 3),
            gateways=_gateways(table),
            mobile_capable=_capable(table),
        )


def _gateways(table: Table) -> tuple[str, ...]:
    value = table.value.get("router", [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise table.wrong("router", "a list of addresses")
    return tuple(value)


def _capable(table: Table) -> CapableSettings | None:
    if table.value.get("mobile_capable") is None:
        return None
    option = table.table("mobile_capable")
    numbers = option.integer("kind", 9, 255, 254), option.integer("exid", 0, 0xFFFF, 0x4D4F)
    return CapableSettings(*numbers, option.integer("length", 2, 4, 4))
