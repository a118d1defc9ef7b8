# SPDX-License-Identifier: GPL-2.0-or-later
"""What Rehash adds to the tester's end of a connection: the two nonces, and options made of them."""

from dataclasses import dataclass, field
from typing import Any

from scapy.packet import Packet

from conformance.rehash.segment import RehashSegment
from layers.rehash import ADDR, INIT, RehashOption
from testbed.peers.options import Options
from testbed.peers.segment import Segment
from testbed.peers.tcp import TcpPeer
from testbed.wire import chance


@dataclass
class RehashState:
    """The nonce of the tester's end, and the one that the device has sent, if any. `kind` is that of the option."""

    kind: int
    nonce: int = field(default_factory=lambda: chance.randbits(32))
    device_nonce: int | None = None

    def on_send(self, peer: TcpPeer, flags: str) -> Options:
        """None: a Rehash option is sent where the case asks for it."""
        return ()

    def on_receive(self, peer: TcpPeer, segment: Segment) -> None:
        """Keep the nonce of the first REHASH-INIT."""
        init = RehashSegment.of(segment).init
        if self.device_nonce is None and init:
            self.device_nonce = init.nonce


def state_of(peer: TcpPeer) -> RehashState:
    """The Rehash state of an end."""
    return next(one for one in peer.options if isinstance(one, RehashState))


def rehash_init(peer: TcpPeer, **fields: Any) -> Packet:
    """REHASH-INIT of an end; any field can be replaced."""
    state = state_of(peer)
    content = {
        "kind": state.kind,
        "control": INIT,
        "nonce": state.nonce,
        "old": "0.0.0.0",
        "new": peer.station.address,
    }
    return RehashOption(**{**content, **fields})


def rehash_addr(peer: TcpPeer, old: str, **fields: Any) -> Packet:
    """REHASH-ADDR from address `old` to where an end is; any field can be replaced."""
    state = state_of(peer)
    content = {
        "kind": state.kind,
        "control": ADDR,
        "nonce": state.device_nonce or 0,
        "old": old,
        "new": peer.station.address,
    }
    return RehashOption(**{**content, **fields})
