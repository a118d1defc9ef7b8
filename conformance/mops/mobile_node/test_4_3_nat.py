# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 4.1 and 4.3, the mobile node behind NAT: what it learns, and what it names in its Migrate."""

import itertools
from dataclasses import dataclass
from typing import Any

import pytest
from scapy.packet import Packet

from conformance.mops.dut.mobile_node import Device
from conformance.mops.mobile_node.test_4_1_forged import sealed
from conformance.mops.tester.server import Asked, Correspondent, Router
from conformance.mops.tester.sessions import Session, listed
from testbed import exclusive, invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require

INNER, OUTER, OUTERMOST = 5050, 6050, 7050
Tuple = tuple[str, int]


@dataclass
class Behind:
    """A connection of a device behind routers: its tuple `inside`, and in `chain` what each level makes of it."""

    device: Device
    router: Router
    session: Session
    inside: Tuple
    chain: list[Tuple]

    def told(self, level: int, **fields: Any) -> Packet:
        """The acknowledgement of a level; any field can be replaced."""
        return self.router.acknowledgement(
            [self.inside, *self.chain][level - 1], self.chain[level - 1], level, **fields
        )

    def hears(self, *messages: Packet | bytes) -> None:
        """The device gets these acknowledgements, in this order."""
        for message in messages:
            self.router.tells(self.device.address, message)
        self.device.has_gone_on()

    def named(self, *sessions: Session) -> list[tuple[Asked, Tuple]]:
        """The Migrates after a move, and which previous tuple each names for its connection."""
        move, found = self.device.moves(), []
        for session in sessions or [self.session]:
            request = self.device.asks(move, session)
            found.append((request, (request.address("previous_source"), listed(request, session)[0])))
        return found

    def judges(self, what: str, wanted: object, said: object, request: Asked) -> None:
        """Broken where the Migrate says something else, unless it would name no connection rightly, NAT or not."""
        if said != wanted:
            untold = self.device.connects(self.session.server)
            own = self.in_mops((self.device.address, untold.previous_port))
            ((other, named),) = self.named(untold)
            self.device.preamble(lambda: require(named == own, "tuple without NAT", own, named, other.frame))
        require(said == wanted, what, wanted, said, request.frame)

    def in_mops(self, end: Tuple) -> Tuple:
        """A tuple as a Migrate writes it."""
        return self.session.server.network.in_mops(end[0]), end[1]

    def names(self, expected: Tuple) -> None:
        """After a move the Migrate gives `expected` as the previous tuple."""
        ((request, said),) = self.named()
        self.judges("previous tuple", self.in_mops(expected), said, request)

    def ignores(self, *messages: Packet | bytes) -> None:
        """These acknowledgements teach the device nothing."""
        self.hears(*messages)
        self.names(self.inside)


@pytest.fixture
def behind(case: Case, device: Device, correspondent: Correspondent, router: Router) -> Behind:
    """A connection, and three levels of NAT that the device could be told of."""
    session = device.connects(correspondent)
    chain = [(case.station().address, port) for port in (INNER, OUTER, OUTERMOST)]
    return Behind(device, router, session, (device.address, session.previous_port), chain)


@exclusive
@valid
@requirement("MOPS-4.1-107", case=1)
def test_previous_address_is_the_outermost_one(behind: Behind) -> None:
    """Behind two levels of NAT Previous Source Address is the outermost translated one."""
    behind.hears(behind.told(1), behind.told(2))
    ((request, (address, _)),) = behind.named()
    behind.judges("previous address", behind.in_mops(behind.chain[1])[0], address, request)


@exclusive
@valid
@requirement("MOPS-4.1-109", case=1)
def test_previous_port_is_the_outermost_one(behind: Behind) -> None:
    """Behind two levels of NAT Previous Source Port is the outermost translated one."""
    behind.hears(behind.told(1), behind.told(2))
    ((request, (_, port)),) = behind.named()
    behind.judges("previous port", OUTER, port, request)


@exclusive
@valid
@requirement("MOPS-4.3-28", case=1)
def test_level_one_is_learnt(behind: Behind) -> None:
    """After the acknowledgement of level 1 the Migrate names the translated tuple."""
    behind.hears(behind.told(1))
    behind.names(behind.chain[0])


@exclusive
@valid
@requirement("MOPS-4.3-28", case=2)
def test_level_one_is_learnt_before_the_syn_ack(
    case: Case, device: Device, correspondent: Correspondent, router: Router
) -> None:
    """The acknowledgement that the SYN draws comes before the server's answer, and is learnt all the same."""
    call, syn, end = device.calls(correspondent)
    inside, outside = (device.address, end.remote_port), (router.outside, INNER)
    router.tells(device.address, router.acknowledgement(inside, outside))
    device.has_gone_on()
    session = device.accepts(correspondent, call, syn, end)
    Behind(device, router, session, inside, [outside]).names(outside)


@pytest.mark.parametrize(
    "order", list(itertools.permutations((1, 2, 3))), ids=lambda order: "levels " + " ".join(map(str, order))
)
@exclusive
@valid
@requirement("MOPS-4.3-29", case=1)
def test_highest_level_of_the_chain_is_named(behind: Behind, order: tuple[int, ...]) -> None:
    """Acknowledgements of three levels, in any order, lead to the translated tuple of the third."""
    behind.hears(*(behind.told(level) for level in order))
    behind.names(behind.chain[2])


@exclusive
@invalid
@requirement("MOPS-4.3-30", case=1)
def test_level_one_of_another_socket_is_ignored(case: Case, behind: Behind) -> None:
    """An acknowledgement of level 1 for another address or port teaches nothing."""
    (address, port), outside = behind.inside, behind.chain[0]
    others = [(case.station().address, port), (address, port ^ 1)]
    behind.ignores(*(behind.router.acknowledgement(other, outside) for other in others))


@exclusive
@invalid
@requirement("MOPS-4.3-31", case=1)
def test_level_without_the_one_below_is_ignored(case: Case, device: Device, behind: Behind) -> None:
    """An acknowledgement of level 2 whose original tuple is not what level 1 translated to teaches nothing."""
    address, port = behind.chain[0]
    others = [(case.station().address, port), (address, port + 1)]
    behind.hears(behind.told(1), *(behind.router.acknowledgement(other, behind.chain[1], 2) for other in others))
    ((request, said),) = behind.named()
    wrong, right = (behind.in_mops(level) for level in (behind.chain[1], behind.chain[0]))
    require(said[0] != wrong[0] and said[1] != wrong[1], "previous tuple", right, said, request.frame)
    device.preamble(lambda: require(said == right, "previous tuple", right, said, request.frame))


@exclusive
@invalid
@requirement("MOPS-4.3-32", case=1)
def test_acknowledgement_of_another_protocol_is_ignored(behind: Behind) -> None:
    """An acknowledgement for UDP says nothing of a TCP socket with the same port."""
    behind.ignores(behind.told(1, protocol=17))


@exclusive
@invalid
@requirement("MOPS-4.3-33", case=1)
def test_level_zero_is_ignored(behind: Behind) -> None:
    """There is no level 0."""
    behind.ignores(behind.told(1, nat_level=0))


@exclusive
@invalid
@requirement("MOPS-4.3-34", case=1)
def test_acknowledgement_with_wrong_checksum_is_ignored(behind: Behind) -> None:
    """An acknowledgement with a wrong checksum teaches nothing."""
    right = bytes(behind.told(1))
    other = (int.from_bytes(right[2:4], "big") + 1) % 0xFFFF
    behind.ignores(right[:2] + other.to_bytes(2, "big") + right[4:])


@exclusive
@invalid
@requirement("MOPS-4.3-35", case=1)
def test_acknowledgement_of_another_shape_is_ignored(behind: Behind) -> None:
    """An acknowledgement of another version, code, count or length teaches nothing."""
    right = bytes(behind.told(1))
    behind.ignores(
        *(behind.told(1, version=version) for version in (0, 2, 255)),
        *(behind.told(1, code=code) for code in (1, 255)),
        *(behind.told(1, count=count) for count in (0, 2, 0x3FFF)),
        sealed(right[:-4]),
        sealed(right[:-1]),
        sealed(right + bytes(4)),
    )


@exclusive
@valid
@requirement("MOPS-4.3-36", case=1)
def test_acknowledgement_with_reserved_bits_is_taken(behind: Behind) -> None:
    """An acknowledgement with every bit of Reserved set counts like any other."""
    behind.hears(behind.told(1, reserved=0xFF))
    behind.names(behind.chain[0])


@exclusive
@valid
@requirement("MOPS-4.3-37", case=1)
def test_every_entry_is_learnt(device: Device, behind: Behind) -> None:
    """One acknowledgement with two entries is learnt for both sockets."""
    sessions = [behind.session, device.connects(behind.session.server)]
    ports = {session.previous_port: INNER + place for place, session in enumerate(sessions)}
    behind.hears(behind.told(1, entries=list(ports.items())))
    for session, (request, (_, said)) in zip(sessions, behind.named(*sessions), strict=True):
        behind.judges("previous port", ports[session.previous_port], said, request)


@valid
@requirement("MOPS-4.3-38", case=1)
def test_acknowledgement_is_not_answered(case: Case, device: Device, behind: Behind) -> None:
    """A NAT acknowledgement draws no message, and the connection goes on."""
    mark = case.mark()
    behind.hears(behind.told(1), behind.told(2))
    device.calms_down()
    answers = [frame for frame, _ in case.messages(mark)]
    require(not answers, "messages", "none", len(answers), *answers)
    device.goes_on(behind.session)


@exclusive
@valid
@requirement("MOPS-4.3-39", case=1)
def test_what_was_learnt_is_forgotten_after_the_move(device: Device, behind: Behind) -> None:
    """After a move out of the NAT and a success the next Migrate names the tuple of that success."""
    behind.hears(behind.told(1))
    device.has_migrated(behind.session)
    behind.names((device.address, behind.session.previous_port))


@exclusive
@valid
@requirement("MOPS-4.3-39", case=2)
def test_what_was_learnt_at_home_is_not_remembered_there(device: Device, behind: Behind) -> None:
    """A node that has come home without hearing of NAT again names its own tuple when it leaves once more."""
    behind.hears(behind.told(1))
    device.has_migrated(behind.session)
    device.has_migrated(behind.session, to=device.home)
    behind.names((device.address, behind.session.previous_port))


@exclusive
@invalid
@requirement("MOPS-4.3-40", case=1)
def test_acknowledgement_from_somebody_else(case: Case, device: Device, behind: Behind) -> None:
    """Reported: whether the device believes whoever sends the right tuple; then a forger spoils its next Migrate."""
    somebody = Behind(device, Router(case), behind.session, behind.inside, behind.chain)
    somebody.hears(somebody.told(1))
    request = device.asks(device.moves(), behind.session)
    case.values["believed"] = "yes" if listed(request, behind.session)[0] == INNER else "no"
