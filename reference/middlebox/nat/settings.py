# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be set of a NAT. Times are in seconds."""

from dataclasses import dataclass

from reference.system.configuration import Table

FILTERINGS = ("endpoint-independent", "address-dependent", "address and port-dependent")
ASSIGNMENTS = ("preserving", "sequential")
_LONGEST_S = 86_400
_MTUS = (576, 9000)


@dataclass(frozen=True)
class NatSettings:
    """Without a word all is as the RFCs recommend it, filtering as for security rather than for transparency."""

    filtering: str = "address-dependent"
    assignment: str = "preserving"
    first_port: int = 1024
    """Where ports begin that are assigned one after the other."""
    udp_s: float = 300.0  # RFC 4787, REQ-5
    inbound_refreshes: bool = False  # RFC 4787, REQ-6
    established_s: float = 7440.0  # RFC 5382, REQ-5
    transitory_s: float = 240.0
    query_s: float = 60.0  # RFC 5508, REQ-2
    unsolicited_s: float = 6.0  # RFC 5382, REQ-4
    most_mappings: int = 200_000
    outside_mtu: int | None = None
    by_kernel: bool = False
    """Whether the kernel carries what has been decided, where it lets itself be used so."""
    kernel_after: int = 10
    """The packets of a flow that have to pass before it does."""

    @classmethod
    def read(cls, table: Table) -> "NatSettings":
        """What a protocol's table says; `nat` in it is a table of what else can be set."""
        nat = table.table("nat")

        def seconds(key: str, default: float, where: Table = nat) -> float:
            if where.value.get(key) is None:
                return default
            return float(where.number(key, 0, _LONGEST_S))

        outside_mtu = table.integer("outside_mtu", *_MTUS) if "outside_mtu" in table else None
        return cls(
            filtering=nat.choice("filtering", FILTERINGS, cls.filtering),
            assignment=nat.choice("ports", ASSIGNMENTS, cls.assignment),
            first_port=nat.integer("first_port", 1, 65535, cls.first_port),
            udp_s=seconds("udp_timeout_s", cls.udp_s, table),
            established_s=seconds("nat_established_s", cls.established_s, table),
            transitory_s=seconds("nat_transitory_s", cls.transitory_s, table),
            query_s=seconds("query_s", cls.query_s),
            most_mappings=nat.integer("most_mappings", 1, 1_000_000, cls.most_mappings),
            outside_mtu=outside_mtu,
            by_kernel=nat.value.get("by_kernel") is True,
        )
