# SPDX-License-Identifier: GPL-2.0-or-later
"""The stream of bytes that a device sends: right, in order, in time."""

from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Frame
from testbed.wire.clock import Deadline

_SHOWN = 40


def exchange(case: Case, peer: TcpPeer, data: bytes) -> None:
    """Send `data` to the echo service and get it back byte-exact; Broken if it does not come."""
    start = len(peer.stream)
    expect_stream(case, peer, data, case.deadline(since_ns=peer.send(data).ns), start)


def expect_stream(case: Case, peer: TcpPeer, data: bytes, deadline: Deadline, start: int | None = None) -> None:
    """`data`, and nothing else, is in time what the device's stream brings from byte `start` on, or from now on.

    What comes is acknowledged at once, so that a device with a small congestion window can continue.
    """
    begin = len(peer.stream) if start is None else start
    seen: list[Frame] = []

    def arrived() -> bool:
        return len(peer.stream) >= begin + len(data) or peer.state == "RESET"

    def complete() -> Frame | None:
        taken = len(peer.stream)
        seen.extend(peer.read(arrived))
        if len(peer.stream) > taken and peer.state == "ESTABLISHED":
            peer.acknowledge()
        return seen[-1] if seen and arrived() else None

    if len(peer.stream) > begin:
        peer.acknowledge()
    before = len(peer.stream) >= begin + len(data)
    last = complete() if before else case.look(complete, deadline)
    seen.extend(peer.read())
    came = bytes(peer.stream[begin:])
    if came != data or not (last or before):
        raise Broken(
            Finding(
                f"data on the connection to {peer}: expected {len(data)} bytes, got {_how(peer, data, came)}",
                f"{data[:_SHOWN]!r} ({len(data)} bytes) within {deadline.within_s:g} s",
                f"{came[:_SHOWN]!r} ({len(came)} bytes)" if came else "nothing",
                frames=[last] if last else seen[-1:],
            ),
            None if peer.state == "RESET" else deadline,
        )


def _how(peer: TcpPeer, data: bytes, came: bytes) -> str:
    if peer.state == "RESET":
        return "a reset"
    if came == data:
        return "them too late"
    same = next((place for place, (one, other) in enumerate(zip(came, data, strict=False)) if one != other), None)
    if same is None:
        return f"{len(came)}"
    return f"{len(came)}, of which byte {same} is the first that differs"
