# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be configured of SACIP: the table `sacip` of DUT_CONFIG."""

from dataclasses import dataclass

from reference.system.addresses import ipv4_from_text
from reference.system.configuration import Table

CAPTURED, NETWORK = "captured", "network"


@dataclass(frozen=True)
class Settings:
    """What the slides leave to the machine that they ran on."""

    byte_order: str = CAPTURED
    router: int | None = None  # whoever is on no subnet of the host's is reached through it

    @classmethod
    def read(cls, table: Table) -> "Settings":
        """Check the table."""
        router = table.address("router", ipv4_from_text) if table.value.get("router") is not None else None
        return cls(table.choice("byte_order", (CAPTURED, NETWORK), CAPTURED), router)
