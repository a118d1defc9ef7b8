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
    anycast: tuple[str, ...] = ()  # addresses of an anycast server besides its own
    continues_at_anycast: bool = False  # a connection whose Migrate was sent to the unicast address

    @classmethod
    def read(cls, table: Table) -> "Settings":
        """Check the table."""
        return cls(
            rate_limit_s=table.number("rate_limit_s", 0, 3600, 5.0),
            exact_sequence=table.choice("migrate_seq", ("window", "exact"), "window") == "exact",
            retry_interval_s=table.number("retry_interval_s", 0.01, 3600, 2.0),
            retries=table.integer("retries", 0, 100, 3),
            gateways=_addresses(table, "router"),
            mobile_capable=_capable(table),
            anycast=_addresses(table, "anycast"),
            continues_at_anycast=table.choice("anycast_continues", ("unicast", "anycast"), "unicast") == "anycast",
        )


def _addresses(table: Table, key: str) -> tuple[str, ...]:
    value = table.value.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise table.wrong(key, "a list of addresses")
    return tuple(value)


def _capable(table: Table) -> CapableSettings | None:
    if table.value.get("mobile_capable") is None:
        return None
    option = table.table("mobile_capable")
    numbers = option.integer("kind", 9, 255, 254), option.integer("exid", 0, 0xFFFF, 0x4D4F)
    return CapableSettings(*numbers, option.integer("length", 2, 4, 4))
