# SPDX-License-Identifier: GPL-2.0-or-later
"""The wire: who answers ARP, a TCP connection to the echo service, data of more than one segment, its end."""

import functools
from collections.abc import Iterator

from testbed.case.case import Case
from testbed.interruptions import Inconclusive
from testbed.peers.connection import await_state, connect, new_peer
from testbed.peers.stream import exchange
from testbed.peers.tcp import TcpPeer
from testbed.run.contract.lines import Line, Wrong, tried
from testbed.run.sanity import dropped, resolves

_MANY = bytes(range(256)) * 16
_TRIES = 3
"""As many as before a run: the machine may have had something else to do."""


def check_wire(case: Case) -> Iterator[Line]:
    """What every case relies on, on each link of the device; it stops at what the rest needs."""
    for side in case.sides.values():
        if side.network.has_arp and not case.setup.profile.is_bridge(case.setup.role):
            asked = side.dut_address
            found = any(resolves(case, side, asked) for _ in range(_TRIES))
            where = f"{side.name}: ARP for {asked}"
            yield Line("ok", where) if found else Line("wrong", where, f"{_nobody(asked)}{dropped(case)}")
            if not found:
                return
    if len(case.sides) == 1:
        yield from _check_tcp(case)


def _nobody(address: str) -> str:
    return (
        f"nobody answers for {address}. Kind namespace: has the device put it on the interface that DUT_WIRES names? "
        "Kind interface: is the cable in the interface of link.interface, is link.dut_mac the device's?"
    )


def _check_tcp(case: Case) -> Iterator[Line]:
    name, port = case.network.name, case.setup.profile.ixit.services.echo
    for _ in range(_TRIES):
        peer = new_peer(case, case.station())
        opened = tried(f"{name}: a connection to the echo service, port {port}", functools.partial(_open, case, peer))
        if opened.result == "ok":
            break
    yield opened
    if opened.result != "ok":
        return
    changed = "The echo service (RFC 862) sends back what comes, at once, and nothing else."
    yield tried(f"{name}: an echo of 5 bytes", lambda: exchange(case, peer, b"hello"), changed)
    merged = "Are checksum and segmentation offload off, and is the MTU that of the wire?"
    yield tried(f"{name}: an echo of {len(_MANY)} bytes", lambda: exchange(case, peer, _MANY), merged)
    yield tried(
        f"{name}: its end", lambda: _close(case, peer), "When its peer has closed, the echo service closes too."
    )


def _open(case: Case, peer: TcpPeer) -> None:
    try:
        connect(case, peer)
    except Inconclusive:
        if peer.state == "RESET":
            raise Wrong("it is refused: does the service listen at that port, at every address?") from None
        advice = "Is there a packet filter, is a checksum left to a card, does the answer leave by another interface?"
        raise Wrong(f"no answer to a SYN{dropped(case)}. {advice}") from None


def _close(case: Case, peer: TcpPeer) -> None:
    sent = peer.finish()
    ended = await_state(case, peer, case.deadline(since_ns=sent.ns), lambda: peer.state == "CLOSE-WAIT")
    if ended is None:
        raise Wrong(f"no FIN in answer to a FIN within {case.setup.profile.ixit.tcp_within_s} s")
    peer.acknowledge()
