# SPDX-License-Identifier: GPL-2.0-or-later
"""The reference SACIP host without a wire and without a kernel: the scenarios of the slides, frame by frame."""

import struct

import pytest

from reference.bump.arp import REPLY, REQUEST
from reference.bump.network import ETHERNET
from reference.bump.segment import Segment, ipv4, read
from reference.bump.tcp import ACK, SYN
from reference.sacip.addresses import Addresses, Assigned
from reference.sacip.notification import ICMP, Notification
from reference.sacip.roles import MobileNodeRole
from reference.system.addresses import ipv4_from_text
from tests.lab.host import configuration
from tests.lab.played import Played
from tests.lab.wire import OWN_MAC

ARP = struct.Struct("!HHBBH6sI6sI")
PEER, SECOND_PEER = ipv4_from_text("192.168.1.101"), ipv4_from_text("192.168.1.102")
FIRST, SECOND, THIRD = (ipv4_from_text(f"192.168.1.{number}") for number in (22, 2, 3))
ROUTER = ipv4_from_text("192.168.1.4")
PORT, SERVICE = 1027, 7
CAPTURED = bytes.fromhex("14 00 41 3e 02 01 a8 c0")


class Host(Played):
    """A host at 192.168.1.22, with neighbours that it knows."""

    def __init__(self, prefix_length: int = 24, **settings: str) -> None:
        network = {"address": "192.168.1.22", "prefix_length": prefix_length, "icmp_protocol": 254}
        told = {"networks": {"ipv4": network}, "sacip": settings, "protocol": "sacip", "role": "mobile node"}
        super().__init__(MobileNodeRole, configuration(**told))
        for neighbour in (PEER, SECOND_PEER):
            self.ask(neighbour, FIRST)
        self.datapath.frames_for_wire()

    def ask(self, who: int, about: int) -> None:
        """A neighbour asks for an address."""
        message = ARP.pack(1, 0x0800, 6, 4, REQUEST, OWN_MAC, who, bytes(6), about)
        self.frame_from_wire(0x0806, message)

    def open(self, peer: int = PEER, own: int = FIRST, port: int = PORT) -> None:
        """A peer opens a connection to a service."""
        self.frame_from_wire(0x0800, Segment(peer, own, port, SERVICE, 100, 0, SYN).packet())
        (known,) = [read(frame[ETHERNET:]) for frame in self.datapath.frames_for_kernel()]
        assert known is not None
        self.kernel_port = known.port
        self.say(peer, flags=SYN | ACK)
        self.frame_from_wire(0x0800, Segment(peer, own, port, SERVICE, 101, 501, ACK).packet())
        self.datapath.frames_for_kernel()
        self.datapath.frames_for_wire()

    def say(self, peer: int, flags: int = ACK, data: bytes = b"", port: int = 0) -> None:
        """The kernel sends a segment of that connection."""
        numbers = SERVICE, port or self.kernel_port, 500 + (not flags & SYN), 101, flags, 1000, b"", data
        self.frame_from_kernel(0x0800, Segment(FIRST, peer, *numbers).packet())

    def ends(self) -> list[tuple[int, int]]:
        """The addresses of the segments on the wire since the last time."""
        found = [read(frame[ETHERNET:]) for frame in self.datapath.frames_for_wire()]
        return [(one.source, one.destination) for one in found if one is not None]

    def messages(self) -> list[tuple[int, int, bytes]]:
        """The messages of ICMP on the wire since the last time."""
        packets = [frame[ETHERNET:] for frame in self.datapath.frames_for_wire() if frame[12:14] == b"\x08\x00"]
        return [(*struct.unpack_from("!II", packet, 12), packet[20:]) for packet in packets if packet[9] == ICMP]  # type: ignore[misc]

    def asked(self, question: str, words: str) -> str:
        """What the daemon says to the agent's question: an error, or nothing."""
        return str(self.datapath.asked(question, words).get("error", ""))

    def notified(self, source: int, new: int) -> None:
        """A notification comes."""
        message = Notification("captured").encode(new)
        self.frame_from_wire(0x0800, ipv4(source, FIRST, ICMP, message))


def test_the_first_scenario_of_the_slides() -> None:
    host = Host()
    host.open()
    assert host.asked("add_address", "192.168.1.2 24") == ""
    assert host.messages() == []
    assert host.asked("delete_address", "192.168.1.22") == ""
    assert host.messages() == [(FIRST, PEER, CAPTURED)]
    host.say(PEER)
    assert host.ends() == [(SECOND, PEER)]


def test_the_other_byte_order() -> None:
    assert Notification("network").encode(SECOND)[4:] == bytes([192, 168, 1, 2])


def test_the_remote_side_goes_on_at_the_new_address() -> None:
    host = Host()
    host.open()
    host.notified(PEER, SECOND_PEER)
    host.say(PEER)
    assert host.ends() == [(FIRST, SECOND_PEER)]
    host.frame_from_wire(0x0800, Segment(SECOND_PEER, FIRST, PORT, SERVICE, 101, 501, ACK, 1000, b"", b"x").packet())
    (frame,) = host.datapath.frames_for_kernel()
    segment = read(frame[ETHERNET:])
    assert segment is not None
    assert (segment.source, segment.destination, segment.data) == (PEER, FIRST, b"x")


def test_connections_that_differ_in_the_own_address_alone() -> None:
    host = Host()
    host.asked("add_address", "192.168.1.2")
    host.open()
    first = host.kernel_port
    host.open(own=SECOND)
    assert host.kernel_port != first
    host.say(PEER, port=first)
    host.say(PEER)
    assert host.ends() == [(FIRST, PEER), (SECOND, PEER)]
    assert host.asked("delete_address", "192.168.1.22") == ""
    assert host.messages() == []  # the tuple at the other address is taken
    host.say(PEER, port=first)
    host.say(PEER)
    assert host.ends() == [(SECOND, PEER)]
    host.asked("add_address", "192.168.1.22")
    host.say(PEER, port=first)
    assert host.ends() == [(FIRST, PEER)]


def test_arp_is_answered_for_the_addresses_of_now() -> None:
    host = Host()

    def answers(address: int) -> bool:
        host.ask(PEER, address)
        return any(frame[20:22] == REPLY.to_bytes(2, "big") for frame in host.datapath.frames_for_wire())

    assert [answers(one) for one in (FIRST, SECOND)] == [True, False]
    host.asked("add_address", "192.168.1.2")
    assert [answers(one) for one in (FIRST, SECOND)] == [True, True]
    host.asked("delete_address", "192.168.1.22")
    assert [answers(one) for one in (FIRST, SECOND)] == [False, True]


def test_another_subnet_is_reached_through_the_router() -> None:
    host = Host(prefix_length=25, router="192.168.1.4")
    host.open()
    host.asked("add_address", "192.168.1.222 25")
    host.asked("delete_address", "192.168.1.22")
    host.datapath.frames_for_wire()
    host.say(PEER)
    (question,) = host.datapath.frames_for_wire()
    *_, sender, _, target = ARP.unpack_from(question, ETHERNET)
    assert (sender, target) == (ipv4_from_text("192.168.1.222"), ROUTER)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("delete_address", "192.168.1.22"),
        ("delete_address", "192.168.1.9"),
        ("add_address", "192.168.1.255"),
        ("add_address", "192.168.1.101"),
        ("add_address", "192.168.1.2 31"),
        ("add_address", "somewhere"),
    ],
)
def test_what_cannot_be_done_is_said(question: str, words: str) -> None:
    host = Host()
    host.open()
    assert host.asked(question, words)


def test_a_move_leaves_all_other_addresses() -> None:
    host = Host()
    host.open()
    host.asked("add_address", "192.168.1.2")
    assert host.asked("move", "192.168.1.3") == ""
    assert [one.address for one in host.network.addresses.assigned] == [THIRD]  # type: ignore[attr-defined]
    host.say(PEER)
    assert host.ends()[-1] == (THIRD, PEER)


def test_the_oldest_secondary_of_the_subnet_is_promoted() -> None:
    addresses = Addresses(FIRST, 24)
    for address, length in ((ipv4_from_text("10.0.0.1"), 8), (SECOND, 24), (THIRD, 24)):
        addresses.add(Assigned(address, length))
    assert addresses.promoted(FIRST) == SECOND
    assert addresses.promoted(SECOND) is None
    assert addresses.promoted(ipv4_from_text("10.0.0.1")) == SECOND
