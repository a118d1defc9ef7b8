# SPDX-License-Identifier: GPL-2.0-or-later
"""The baseline: the device answers on every link, before the first case, after the last, and when a case has not
received a single frame from it.

A device with one link serves ordinary TCP on every network. One with two need not: it answers ARP on both (RFC 826), or
passes it on where it is a bridge; under IPFF alone there is nothing that it has to answer.
"""

import threading

from scapy.layers.l2 import ARP, Ether

from testbed.case.case import Case, CaseSpec
from testbed.case.setup import Setup
from testbed.case.side import Side
from testbed.case.verdict import Broken
from testbed.device.supervisor import LinkError
from testbed.interruptions import DeviceLost, Inconclusive, NotApplicable
from testbed.peers.connection import connect, new_peer
from testbed.peers.stream import exchange
from testbed.wire.capture import Frame
from testbed.wire.clock import Deadline

_TRIES = 3
_MOST_TRIES = 12
_MOST_NOTES = 3


def check_alive(setup: Setup) -> None:
    """Ask the device for the least that it has to do on each network; DeviceLost if that does not work.

    Three tries count; those that the machine's load has spoilt do not.
    """
    for name in dict.fromkeys(name for link in setup.links.values() for name in link.networks):
        counted = 0
        for attempt in range(1, _MOST_TRIES + 1):
            with setup.clock.waiting():
                setup.dut.await_wires()
            started_ns, outages = setup.clock.now_ns(), setup.dut.outages()
            trouble = _try(setup, name)
            if not trouble:
                break
            starved = setup.starved(Deadline(started_ns, setup.profile.ixit.tcp_within_s))
            counted += not starved and setup.dut.outages() == outages
            if counted == _TRIES or attempt == _MOST_TRIES:
                raise DeviceLost(trouble)


def check_moves(setup: Setup) -> None:
    """Move the device by its verb, to an address of each network; LinkError where it says that it cannot.

    A device without the verb, or with no address to move to, is none that moves: its cases say so.
    """
    for network in [network for network in setup.networks.values() if network.moves_to]:
        try:
            setup.move(network.name, network.moves_to[0])
        except Inconclusive as trouble:
            raise LinkError(f"{setup.profile.path}: the device does not move over {network.name}: {trouble}") from None
        except NotApplicable:
            return


def _try(setup: Setup, network: str) -> str:
    """What went wrong, or nothing."""
    with setup.clock.announced():
        spec = CaseSpec("sanity", "", "The device is there.", "valid", (), {"network": network}, "", setup.role)
        case = Case(spec, setup, network)
        try:
            return _serves_tcp(case) if len(case.sides) == 1 else _answers_arp(case)
        finally:
            case.leave()


def _serves_tcp(case: Case) -> str:
    try:
        peer = connect(case, new_peer(case, case.station()))
        exchange(case, peer, b"baseline")
        peer.reset()
    except (Inconclusive, Broken) as error:
        return f"no echo service at {case.network.dut} over {case.network.name}: {error}{dropped(case)}"
    return ""


def dropped(case: Case) -> str:
    """What the device has sent that no receiver takes, as the end of a sentence; nothing if there was nothing."""
    notes = dict.fromkeys(frame.note for frame in case.trace.frames if frame.dropped and not frame.outgoing)
    return f"; of the frames that came: {', '.join(list(notes)[:_MOST_NOTES])}" if notes else ""


def _answers_arp(case: Case) -> str:
    is_bridge = case.setup.profile.is_bridge(case.setup.role)
    sides = list(case.sides.values())
    for side, other in zip(sides, reversed(sides), strict=True):
        asked = other.station().address if is_bridge else side.dut_address
        if side.network.has_arp and not resolves(case, side, asked):
            return f"no ARP reply from {asked} on the {side.name}"
    return ""


def resolves(case: Case, side: Side, asked: str, within_s: float | None = None) -> bool:
    """Whether somebody on this side answers ARP for an address, in time."""
    station = side.station()
    question = ARP(op="who-has", hwsrc=side.interface.mac, psrc=station.address, pdst=asked)
    request = Ether(src=side.interface.mac, dst="ff:ff:ff:ff:ff:ff") / question
    since = case.mark()
    sent = side.interface.send(bytes(request), case.trace)

    def reply() -> Frame | None:
        for frame in side.received(since):
            arp = side.network.dissect(frame.data).getlayer(ARP)
            if arp is not None and arp.op == 2 and arp.psrc == asked:
                return frame.account()
        return None

    return case.look(reply, case.deadline(within_s, sent.ns)) is not None


class Doubt:
    """Tells a device that is lost from a case that was disturbed, once for all cases that ask at the same time."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._lock = threading.Lock()
        self._alive_ns = 0

    def settle(self) -> None:
        """Return if the device answers (or did since the question came up); DeviceLost, for every case, if not."""
        asked_ns = self._setup.clock.now_ns()
        with self._setup.clock.waiting():
            self._lock.acquire()
        try:
            if self._alive_ns < asked_ns:
                check_alive(self._setup)
                self._alive_ns = self._setup.clock.now_ns()
        except DeviceLost as error:
            self._setup.dut.lose(error)
            raise
        finally:
            self._lock.release()
