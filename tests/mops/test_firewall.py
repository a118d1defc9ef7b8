# SPDX-License-Identifier: GPL-2.0-or-later
"""The firewall in virtual time: what lasts how long at the timers of the RFCs, a full table, and its settings."""

import pytest

from reference.mops.firewall.role import FirewallRole
from reference.system.configuration import Configuration, ConfigurationError
from tests.lab.box import PlayedBox, configuration
from tests.lab.wire import ACK, FIN, NETWORKS, RST, SYN
from tests.middlebox.packets import Came, Tuple, datagram, message, read, segment
from tests.mops.messages import migrate

NODE = {"ipff": "10.2.0.1.1", "ipv4": "10.0.1.1"}
MOVED = {"ipff": "10.2.0.1.2", "ipv4": "10.0.1.2"}
FAR = {"ipff": "525.8.78.16.1", "ipv4": "198.19.0.1"}
IDLE_S, ENDED_S, DATAGRAMS_S, ANSWER_S = 7440, 240, 300, 10
SUCCESS, FAILED = 2, 3


class Played:
    """A firewall, a node inside and its server outside, on one network."""

    def __init__(self, network: str, **firewall: object) -> None:
        self.network = network
        self.box = PlayedBox(FirewallRole, configuration("mops firewall", mops={"firewall": firewall}))
        self.node: Tuple = (NODE[network], 1027)
        self.moved: Tuple = (MOVED[network], 2038)
        self.server: Tuple = (FAR[network], 80)

    def goes_out(self, packet: bytes) -> bool:
        """Whether a packet from the inside passes."""
        return self._passes("inside", "outside", packet) is not None

    def comes_in(self, packet: bytes) -> bool:
        """Whether a packet from the outside passes."""
        return self._passes("outside", "inside", packet) is not None

    def _passes(self, side: str, other: str, packet: bytes) -> Came | None:
        self.box.put(side, self.network, packet)
        came = self.box.take(other)
        self.box.take(side)
        return read(self.network, came[0]) if came else None

    def sends(self, flags: int, at: Tuple | None = None) -> bool:
        """Whether a segment of the node goes out."""
        return self.goes_out(segment(self.network, at or self.node, self.server, flags))

    def gets(self, flags: int = ACK, at: Tuple | None = None) -> bool:
        """Whether a segment comes in to the node."""
        data = b"" if flags & SYN else b"data"
        return self.comes_in(segment(self.network, self.server, at or self.node, flags, data, numbers=(2000, 1000)))

    def opens(self) -> None:
        """The node connects. All segments of a side have the same number, which the windows allow for."""
        assert self.sends(SYN)
        assert self.gets(SYN | ACK)
        assert self.sends(ACK)

    def asks(self, previous: Tuple | None = None) -> bool:
        """Whether the node's Migrate goes out."""
        return self.goes_out(self._message(previous or self.node, 0, MOVED, FAR))

    def is_answered(self, code: int = SUCCESS, previous: Tuple | None = None) -> bool:
        """Whether the server's answer comes in."""
        return self.comes_in(self._message(previous or self.node, code, FAR, MOVED))

    def _message(self, previous: Tuple, code: int, source: dict[str, str], destination: dict[str, str]) -> bytes:
        content = migrate(previous[0], self.moved[0], [(previous[1], self.moved[1], 1001)], code=code)
        return message(self.network, source[self.network], destination[self.network], content)

    @property
    def size(self) -> int:
        """How many sessions it knows."""
        return int(self.box.box.status()["sessions"])


@pytest.fixture(params=NETWORKS)
def played(request: pytest.FixtureRequest) -> Played:
    return Played(request.param)


def test_an_open_connection_lasts_two_hours_and_four_minutes(played: Played) -> None:
    played.opens()
    played.box.later(IDLE_S - 1)
    assert played.gets()
    played.box.later(IDLE_S + 1)
    assert not played.gets()


def test_a_connection_that_does_not_open_lasts_four_minutes(played: Played) -> None:
    assert played.sends(SYN)
    played.box.later(ENDED_S + 1)
    assert not played.gets(SYN | ACK)


def test_a_connection_that_was_reset_lasts_four_minutes(played: Played) -> None:
    played.opens()
    assert played.sends(RST)
    played.box.later(ENDED_S - 1)
    assert played.gets()
    played.box.later(ENDED_S + 1)
    assert not played.gets()


def test_both_fins_end_a_connection(played: Played) -> None:
    played.opens()
    assert played.sends(FIN | ACK)
    played.box.later(ENDED_S + 1)
    assert played.gets(FIN | ACK)
    played.box.later(ENDED_S + 1)
    assert not played.gets()


def test_a_flow_lasts_five_minutes(played: Played) -> None:
    assert played.goes_out(datagram(played.network, played.node, played.server))
    back = datagram(played.network, played.server, played.node)
    played.box.later(DATAGRAMS_S - 1)
    assert played.comes_in(back)
    played.box.later(DATAGRAMS_S + 1)
    assert not played.comes_in(back)


def test_a_connection_that_has_moved_lasts_as_long(played: Played) -> None:
    played.opens()
    assert played.asks()
    assert played.is_answered()
    played.box.later(IDLE_S - 1)
    assert played.gets(at=played.moved)
    assert not played.gets()


def test_an_unseen_connection_is_waited_for_as_long(played: Played) -> None:
    previous = {"ipff": "525.8.78.9.9", "ipv4": "203.0.113.9"}[played.network], 1027
    assert played.asks(previous)
    assert played.is_answered(SUCCESS, previous)
    played.box.later(IDLE_S - 1)
    assert played.gets(at=played.moved)


def test_an_answer_is_waited_for_ten_seconds(played: Played) -> None:
    played.opens()
    assert played.asks()
    played.box.later(ANSWER_S - 1)
    assert played.asks()
    played.box.later(ANSWER_S - 1)
    assert played.is_answered(FAILED)
    played.box.later(2)
    assert not played.is_answered()
    assert played.gets()
    assert not played.gets(at=played.moved)


def test_what_is_over_is_forgotten(played: Played) -> None:
    played.opens()
    assert played.asks()
    assert played.size == 1
    played.box.later(IDLE_S + 10)
    assert played.size == 0


@pytest.mark.parametrize("network", NETWORKS)
def test_a_full_table_takes_nothing_more_and_keeps_what_it_has(network: str) -> None:
    played = Played(network, largest_table=2)
    played.opens()
    assert played.goes_out(datagram(network, played.node, played.server))
    assert not played.goes_out(datagram(network, played.node, (played.server[0], 81)))
    assert played.size == 2
    assert played.gets()
    assert played.asks()
    assert played.is_answered()
    assert played.gets(at=played.moved)


@pytest.mark.parametrize("network", NETWORKS)
def test_hosts_outside_call_the_ports_that_the_policy_names(network: str) -> None:
    played = Played(network, inward_ports=[1027])
    assert played.comes_in(segment(network, played.server, played.node, SYN))
    assert not played.comes_in(segment(network, played.server, (played.node[0], 1028), SYN))
    assert played.comes_in(datagram(network, played.server, played.node))


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("opens_on", "reply", "success | command"),
        ("inward_ports", [0], "a list of port numbers"),
        ("inward_ports", 7, "a list of port numbers"),
        ("idle_s", 0, "a number 0.1..86400"),
        ("ended_s", "long", "a number 0.1..86400"),
        ("largest_table", 0, "a whole number 1..1000000"),
    ],
)
def test_wrong_settings_are_named(key: str, value: object, allowed: str) -> None:
    told = configuration("mops firewall", mops={"firewall": {key: value}})
    with pytest.raises(ConfigurationError, match=f"mops.firewall.{key} .*allowed: ") as caught:
        FirewallRole(Configuration.of(("wire0", "wire1"), told))
    assert str(caught.value).endswith(allowed)
