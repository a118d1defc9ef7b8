# SPDX-License-Identifier: GPL-2.0-or-later
"""Ordinary TCP with the device, as preamble and as proof: connect, exchange data, look whether an end is dead.

What goes wrong while connecting is no finding against the device: it raises Inconclusive.
"""

import secrets

from scapy.packet import Packet

from testbed.case.case import NANO, Case
from testbed.case.verdict import Broken, Finding
from testbed.interruptions import Inconclusive
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Frame
from testbed.wire.station import Station


def connect(
    case: Case,
    station: Station,
    port: int = 0,
    remote_port: int = 0,
    initial_sequence: int | None = None,
    option: Packet | None = None,
) -> TcpPeer:
    """Open a connection from `station` to the echo service, or to `remote_port`; `option` is put on the SYN."""
    peer = half_open(case, station, port, remote_port, initial_sequence, option)
    peer.acknowledges()
    return peer


def half_open(
    case: Case,
    station: Station,
    port: int = 0,
    remote_port: int = 0,
    initial_sequence: int | None = None,
    option: Packet | None = None,
) -> TcpPeer:
    """The first two segments of a handshake: the SYN is answered, its answer not yet acknowledged."""
    peer = TcpPeer(
        station,
        port or next(case.setup.ports),
        remote_port or case.setup.profile.ixit.services.echo,
        secrets.randbits(32) if initial_sequence is None else initial_sequence,
    )
    opens(case, peer, option)
    return peer


def opens(case: Case, peer: TcpPeer, option: Packet | None = None) -> None:
    """`peer` sends its SYN and takes in the SYN-ACK, which it does not acknowledge yet."""
    syn = peer.starts(option)

    def answered() -> Frame | None:
        news = peer.reads()
        return news[-1] if peer.state != "SYN-SENT" else None

    within = case.setup.profile.ixit.tcp_within_s
    if case.look(answered, syn.ns, within) is None or peer.state != "ESTABLISHED":
        where = f"{peer.station.address}:{peer.port}"
        raise Inconclusive(f"preamble: {where} got no SYN-ACK within {within} s ({peer.state})")


def exchange(case: Case, peer: TcpPeer, data: bytes) -> None:
    """Send `data` to the echo service and get it back byte-exact; Broken if it does not come."""
    start = len(peer.stream)
    expect_echo(case, peer, peer.sends(data).ns, data, start)


def expect_echo(case: Case, peer: TcpPeer, since_ns: int, data: bytes, start: int, patience_s: float = 0.0) -> None:
    """The device's stream, from position `start` on, brings `data` in time; it is then acknowledged.

    `patience_s` is added to the profile's deadline for ordinary TCP.
    """
    within = case.setup.profile.ixit.tcp_within_s + patience_s
    seen: list[Frame] = []

    def complete() -> Frame | None:
        seen.extend(peer.reads())
        arrived = len(peer.stream) >= start + len(data)
        return seen[-1] if seen and (arrived or peer.state == "RESET") else None

    last = case.look(complete, since_ns, within)
    came = bytes(peer.stream[start:])
    if came != data or last is None:
        how = "a reset" if peer.state == "RESET" else f"{len(came)} bytes"
        same = "" if came == data[: len(came)] else ", not the bytes that were sent"
        same += " too late" if came == data else ""
        raise Broken(
            Finding(
                f"the connection from {peer.station.address}:{peer.port} does not carry data",
                f"{len(data)} bytes of echo within {within} s",
                how + same,
                frames=[last] if last else seen[-1:],
            ),
            since_ns,
            0 if peer.state == "RESET" else round(within * NANO),
        )
    if peer.state == "ESTABLISHED":
        peer.acknowledges()
