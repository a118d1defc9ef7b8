# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be set of a NAT router: the table `mops` of DUT_CONFIG."""

from dataclasses import dataclass, replace

from reference.middlebox.nat.settings import NatSettings
from reference.mops.capable import CapableSettings
from reference.mops.nat.destinations import Forward, read_forwards
from reference.mops.settings import Settings
from reference.system.configuration import Table

ANY_SYN, MOBILE_CAPABLE = "any_syn", "mobile_capable"
ON_MIGRATE, ON_SUCCESS = "migrate", "success"


@dataclass(frozen=True)
class RouterSettings:
    """`trigger`: which SYN draws an acknowledgement; `acknowledges_on`: when the mappings of a Migrate are told."""

    nat: NatSettings
    trigger: str = ANY_SYN
    acknowledges_on: str = ON_MIGRATE
    mobile_capable: CapableSettings | None = None
    forwards: tuple[Forward, ...] = ()

    @classmethod
    def read(cls, table: Table) -> "RouterSettings":
        """Check the table."""
        nat = NatSettings.read(table)
        if table.value.get("nat_largest_table") is not None:
            nat = replace(nat, most_mappings=table.integer("nat_largest_table", 1, nat.most_mappings))
        return cls(
            nat,
            table.choice("nat_ack_trigger", (ANY_SYN, MOBILE_CAPABLE), cls.trigger),
            table.choice("nat_ack_on", (ON_MIGRATE, ON_SUCCESS), cls.acknowledges_on),
            Settings.read(table).mobile_capable,
            read_forwards(table),
        )
