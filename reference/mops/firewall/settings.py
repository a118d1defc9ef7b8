# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be configured of a firewall: the table `firewall` of the table `mops` of DUT_CONFIG."""

from dataclasses import dataclass

from reference.system.configuration import Table

SUCCESS, COMMAND = "success", "command"
_LONGEST_S = 86400
_MOST = 1_000_000


@dataclass(frozen=True)
class FirewallSettings:
    """Times are in seconds. The defaults are those of RFC 5382, REQ-5, and RFC 4787, REQ-5."""

    bridge: bool = False  # without addresses; otherwise a router
    opens_on: str = SUCCESS
    inward_ports: frozenset[int] = frozenset()
    idle_s: float = 7440.0  # of an open session
    ended_s: float = 240.0  # of one that is not open yet, or not any more
    datagrams_s: float = 300.0  # of a UDP flow
    largest_table: int = 65536  # sessions

    @classmethod
    def read(cls, table: Table) -> "FirewallSettings":
        """Check the table; a timer that is not to be set is null."""
        return cls(
            bridge=table.value.get("bridge") is True,
            opens_on=table.choice("opens_on", (SUCCESS, COMMAND), SUCCESS),
            inward_ports=_ports(table),
            idle_s=_timer(table, "idle_s", cls.idle_s),
            ended_s=_timer(table, "ended_s", cls.ended_s),
            datagrams_s=_timer(table, "idle_s", cls.datagrams_s),
            largest_table=table.integer("largest_table", 1, _MOST, cls.largest_table),
        )


def _timer(table: Table, key: str, default: float) -> float:
    return default if table.value.get(key) is None else float(table.number(key, 0.1, _LONGEST_S))


def _ports(table: Table) -> frozenset[int]:
    value = table.value.get("inward_ports", [])
    if not isinstance(value, list) or not all(isinstance(one, int) and 0 < one <= 0xFFFF for one in value):
        raise table.wrong("inward_ports", "a list of port numbers")
    return frozenset(value)
