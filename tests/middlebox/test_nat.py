# SPDX-License-Identifier: GPL-2.0-or-later
"""The NAT in virtual time: what lasts how long, ports, filtering, and what becomes of a table that is full."""

import pytest

from reference.mops.nat.role import NatRouterRole
from tests.lab.box import INSIDE, OUTSIDE, PlayedBox, configuration
from tests.lab.wire import ACK, FIN, NETWORKS, RST, SYN, network_packet
from tests.middlebox.packets import Came, Tuple, datagram, numbered, read, segment

HOST = {"ipff": "10.2.0.1.1", "ipv4": "10.0.1.1"}
OTHER = {"ipff": "10.2.0.1.2", "ipv4": "10.0.1.2"}
FAR = {"ipff": "525.8.78.16.1", "ipv4": "198.19.0.1"}
FARTHER = {"ipff": "525.8.78.16.2", "ipv4": "198.19.0.2"}
UDP_S, ESTABLISHED_S, TRANSITORY_S, QUERY_S, UNSOLICITED_S = 300, 7440, 240, 60, 6


class Played:
    """A NAT, one inside host and one outside, on one network."""

    def __init__(self, network: str, **nat: object) -> None:
        self.network = network
        self.box = PlayedBox(NatRouterRole, configuration("mops NAT router", mops={"nat": nat}))
        self.host: Tuple = (HOST[network], 1027)
        self.far: Tuple = (FAR[network], 80)
        self.outside = OUTSIDE[network]

    def out(self, packet: bytes) -> Came | None:
        """What comes out on the outside of a packet from the inside."""
        self.box.put("inside", self.network, packet)
        came = self.box.take("outside")
        self.box.take("inside")
        return read(self.network, came[0]) if came else None

    def into(self, packet: bytes) -> Came | None:
        """The reverse."""
        self.box.put("outside", self.network, packet)
        came = self.box.take("inside")
        return read(self.network, came[0]) if came else None

    def says(self, to: Tuple | None = None, source: Tuple | None = None) -> Tuple:
        """A datagram goes out; what its source appears as."""
        came = self.out(datagram(self.network, source or self.host, to or self.far))
        assert came is not None
        assert came.source[0] == numbered((self.outside, 0))[0]
        return self.outside, came.source[1]

    def is_let_in(self, mapped: Tuple, source: Tuple | None = None) -> bool:
        """Whether a datagram from the outside comes to the host."""
        came = self.into(datagram(self.network, source or self.far, mapped))
        assert came is None or came.destination == numbered(self.host)
        return came is not None

    def sends(self, flags: int) -> bool:
        """Whether a segment of the host goes out, from its own port."""
        came = self.out(segment(self.network, self.host, self.far, flags))
        assert came is None or came.source == numbered((self.outside, self.host[1]))
        return came is not None

    def gets(self, flags: int) -> bool:
        """Whether a segment comes to the host."""
        return self.into(segment(self.network, self.far, (self.outside, self.host[1]), flags)) is not None

    def opens(self) -> None:
        """The host connects."""
        assert self.sends(SYN)
        assert self.gets(SYN | ACK)
        assert self.sends(ACK)


@pytest.fixture(params=NETWORKS)
def played(request: pytest.FixtureRequest) -> Played:
    return Played(request.param)


def test_a_mapping_of_udp_lasts_as_long_as_its_timer(played: Played) -> None:
    mapped = played.says()
    played.box.later(UDP_S - 1)
    assert played.is_let_in(mapped)
    played.box.later(2)
    assert not played.is_let_in(mapped), "an answer does not prolong it"
    assert played.says() == mapped
    played.box.later(UDP_S - 1)
    played.says()
    played.box.later(UDP_S - 1)
    assert played.is_let_in(mapped), "what goes out does"


@pytest.mark.parametrize(
    ("flags", "lasts"),
    [
        pytest.param((), ESTABLISHED_S, id="established"),
        pytest.param((("out", FIN | ACK),), ESTABLISHED_S, id="half closed"),
        pytest.param((("out", FIN | ACK), ("in", FIN | ACK)), TRANSITORY_S, id="closed"),
        pytest.param((("in", RST | ACK),), TRANSITORY_S, id="reset"),
        pytest.param((("out", RST | ACK),), TRANSITORY_S, id="reset by the host"),
        pytest.param((("in", RST | ACK), ("out", ACK)), ESTABLISHED_S, id="reset that was none"),
    ],
)
def test_a_connection_lasts_as_long_as_its_state_says(
    played: Played, flags: tuple[tuple[str, int], ...], lasts: int
) -> None:
    played.opens()
    for way, one in flags:
        assert played.sends(one) if way == "out" else played.gets(one)
    played.box.later(lasts - 1)
    assert played.gets(ACK)
    played.box.later(max(lasts, ESTABLISHED_S) + 1)
    assert not played.gets(ACK)


def test_a_connection_that_does_not_open_is_transitory(played: Played) -> None:
    assert played.sends(SYN)
    played.box.later(TRANSITORY_S - 1)
    assert played.gets(SYN | ACK)
    played.box.later(TRANSITORY_S + 1)
    assert not played.gets(SYN | ACK)


def test_only_a_syn_makes_a_mapping_of_tcp(played: Played) -> None:
    for flags in (ACK, SYN | ACK, FIN | ACK, RST, SYN | RST):
        assert not played.sends(flags)
    assert played.sends(SYN)


def test_ended_mappings_take_no_room(played: Played) -> None:
    for number in range(50):
        played.says(source=(played.host[0], 2000 + number))
    assert played.box.box.status()["mappings"][played.network] == 50
    played.box.later(UDP_S + 3)
    assert played.box.box.status()["mappings"][played.network] == 0


@pytest.mark.parametrize(
    ("filtering", "lets_in"),
    [
        ("endpoint-independent", [True, True, True]),
        ("address-dependent", [True, True, False]),
        ("address and port-dependent", [True, False, False]),
    ],
)
@pytest.mark.parametrize("network", NETWORKS)
def test_filtering_is_what_it_is_set_to(network: str, filtering: str, lets_in: list[bool]) -> None:
    played = Played(network, filtering=filtering)
    mapped = played.says()
    sources = [played.far, (played.far[0], 81), (FARTHER[network], 80)]
    assert [played.is_let_in(mapped, one) for one in sources] == lets_in


@pytest.mark.parametrize("port", [7, 1023, 1024, 40001, 65535])
def test_a_taken_port_is_replaced_by_one_of_its_range_and_parity(played: Played, port: int) -> None:
    mapped = [played.says(source=(address, port))[1] for address in (HOST[played.network], OTHER[played.network])]
    assert mapped[0] == port
    assert mapped[1] != port
    assert (mapped[1] < 1024, mapped[1] % 2) == (port < 1024, port % 2)


def test_every_port_of_a_range_can_be_had(played: Played) -> None:
    """All 1023 of the low range, each once, and then no more of it."""
    hosts = [(f"10.2.1.{one}.5" if played.network == "ipff" else f"10.0.{one}.5") for one in range(1, 5)]
    found = [played.says(source=(host, port))[1] for host in hosts[:3] for port in range(1, 342)]
    assert sorted(found) == list(range(1, 1024))
    assert played.out(datagram(played.network, (hosts[3], 7), played.far)) is None


def test_ports_in_sequence_begin_where_they_are_set_to(played: Played) -> None:
    in_order = Played(played.network, ports="sequential", first_port=5050)
    assert [in_order.says(source=(in_order.host[0], 9000 + one))[1] for one in range(3)] == [5050, 5051, 5052]


def test_a_full_table_lets_what_it_has_go_on(played: Played) -> None:
    full = Played(played.network, most_mappings=2)
    for port in (1, 2):
        full.says(source=(full.host[0], port))
    assert full.out(datagram(full.network, (full.host[0], 3), full.far)) is None
    full.says(source=(full.host[0], 1))
    full.box.later(UDP_S - 1)
    full.says(source=(full.host[0], 1))
    full.box.later(2)
    full.says(source=(full.host[0], 3))


def test_an_unsolicited_syn_waits_for_six_seconds(played: Played) -> None:
    """And its sender is told then that nobody is there, unless the inside has called meanwhile."""
    to = played.outside, 4000
    played.box.put("outside", played.network, segment(played.network, played.far, to, SYN))
    played.box.later(UNSOLICITED_S - 0.1)
    assert played.box.take("outside") == []
    played.box.later(1.2)
    assert len(played.box.take("outside")) == 1
    again = segment(played.network, played.far, (played.outside, played.host[1]), SYN)
    played.box.put("outside", played.network, again)
    played.box.later(1)
    assert played.sends(SYN)
    played.box.later(UNSOLICITED_S + 1)
    assert played.box.take("outside") == []


def test_two_inside_hosts_reach_each_other_by_their_outside_endpoints(played: Played) -> None:
    network, other = played.network, (OTHER[played.network], 2000)
    mapped = played.says()
    others = played.says(source=other)
    played.box.put("inside", network, datagram(network, played.host, others))
    played.box.take("inside")
    played.box.put("inside", network, datagram(network, other, mapped))
    (came,) = played.box.take("inside")
    assert read(network, came)[:2] == (numbered(others), numbered(played.host))


def test_an_error_about_ipff_is_translated_in_both_headers() -> None:
    """Port unreachable of ICMPv5 quotes the header and 24 bytes (draft-eromenko-ipff-icmp-00)."""
    played = Played("ipff")
    sent = datagram("ipff", played.host, played.far)
    played.box.put("inside", "ipff", sent)
    (came,) = played.box.take("outside")
    error = b"\0\1\0\0\3\0\0\0" + came[: 20 + 24].ljust(44, b"\0")
    checksum = 0xFFFF - sum(int.from_bytes(error[at : at + 2], "big") for at in range(0, len(error), 2)) % 0xFFFF
    error = error[:2] + checksum.to_bytes(2, "big") + error[4:]
    told = played.into(network_packet("ipff", FARTHER["ipff"], played.outside, 1, error))
    assert told is not None
    assert told.destination[0] == numbered(played.host)[0]
    quoted = told.payload[8:]
    assert (quoted[:16], quoted[17 : len(sent)]) == (sent[:16], sent[17:]), "as sent, but for a hop"
    assert INSIDE["ipff"] != played.host[0]
