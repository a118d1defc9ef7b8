# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of a connection from the segments that pass."""

from reference.bump.tcp import ACK, FIN, RST, SYN, State, Tracking, distance, window_scale

NONE = memoryview(b"")
SCALE_7 = memoryview(bytes.fromhex("020405b40402080a0000000000000000 01 030307".replace(" ", "")))
TOP = 2**32 - 1


def accepted(peer: int = 999, ours: int = 5000) -> Tracking:
    """A connection that the kernel has accepted."""
    tcp = Tracking()
    tcp.from_peer(peer, 0, SYN, 0, NONE)
    assert tcp.state is State.OPENING
    tcp.from_kernel(ours, (peer + 1) % 2**32, SYN | ACK, 64240, 0, SCALE_7)
    assert tcp.state is State.SYN_RECEIVED
    tcp.from_peer((peer + 1) % 2**32, ours + 1, ACK, 0, NONE)
    assert tcp.state is State.ESTABLISHED
    return tcp


def test_distance_wraps() -> None:
    assert distance(TOP, 0) == 1
    assert distance(0, TOP) == -1
    assert distance(0, 2**31) == -(2**31)


def test_window_scale_survives_any_options() -> None:
    assert window_scale(SCALE_7) == 7
    assert window_scale(b"\x01\x03\x03\x0f") == 14
    for options in (b"", b"\x03", b"\x03\x03", b"\x02\x00\x03\x03", b"\x00\x03\x03\x07", b"\x01" * 40, b"\xff\xff"):
        assert window_scale(options) is None


def test_window_of_an_accepted_connection() -> None:
    tcp = accepted()
    assert (tcp.rcv_nxt, tcp.rcv_edge) == (1000, 1000 + 64240)
    tcp.from_kernel(5001, 1100, ACK, 502, 0, NONE)
    assert (tcp.rcv_nxt, tcp.rcv_edge) == (1100, 1100 + (502 << 7))
    tcp.from_kernel(5001, 1100, ACK, 10, 0, NONE)
    assert tcp.rcv_edge == 1100 + (502 << 7), "an edge that was promised stays"


def test_sequence_numbers_wrap() -> None:
    tcp = accepted(peer=TOP - 1)
    assert tcp.rcv_nxt == TOP
    tcp.from_peer(TOP, 5001, ACK, 10, NONE)
    assert tcp.expected == 9
    tcp.from_kernel(5001, 9, ACK, 502, 0, NONE)
    assert (tcp.rcv_nxt, tcp.rcv_edge) == (9, 9 + (502 << 7))


def test_data_in_order_is_expected_to_be_acknowledged() -> None:
    tcp = accepted()
    tcp.from_peer(1010, 5001, ACK, 10, NONE)
    assert tcp.expected == 1000
    tcp.from_peer(1000, 5001, ACK, 10, NONE)
    assert (tcp.expected, tcp.rcv_nxt) == (1010, 1000)
    tcp.from_peer(1005, 5001, ACK, 10_000_000, NONE)
    assert tcp.expected == tcp.rcv_edge


def test_a_handshake_needs_the_right_acknowledgement() -> None:
    tcp = Tracking()
    tcp.from_peer(999, 0, SYN, 0, NONE)
    tcp.from_kernel(5000, 1000, SYN | ACK, 64240, 0, SCALE_7)
    tcp.from_peer(1000, 5002, ACK, 0, NONE)
    tcp.from_peer(999, 5001, ACK, 0, NONE)
    assert tcp.state is State.SYN_RECEIVED
    tcp.from_kernel(5002, 0, RST, 0, 0, NONE)
    assert tcp.state is State.SYN_RECEIVED, "the kernel answers a bad acknowledgement and waits on"
    tcp.from_peer(1000, 5001, ACK, 0, NONE)
    assert tcp.state is State.ESTABLISHED


def test_a_connection_that_the_kernel_opens() -> None:
    tcp = Tracking()
    tcp.from_kernel(5000, 0, SYN, 64240, 0, SCALE_7)
    assert tcp.state is State.SYN_SENT
    tcp.from_peer(999, 5001, SYN | ACK, 0, NONE)
    tcp.from_kernel(5001, 1000, ACK, 502, 0, NONE)
    assert tcp.state is State.ESTABLISHED
    assert (tcp.rcv_nxt, tcp.rcv_edge) == (1000, 1502), "no scale without the peer's"


def test_the_side_that_closes_first_waits() -> None:
    tcp = accepted()
    tcp.from_kernel(5001, 1000, ACK | FIN, 502, 10, NONE)
    tcp.from_peer(1000, 5012, ACK, 0, NONE)
    assert tcp.state is State.ESTABLISHED
    tcp.from_peer(1000, 5012, ACK | FIN, 0, NONE)
    tcp.from_kernel(5012, 1001, ACK, 502, 0, NONE)
    assert tcp.state is State.TIME_WAIT


def test_the_side_that_closes_last_is_done() -> None:
    tcp = accepted()
    tcp.from_peer(1000, 5001, ACK | FIN, 5, NONE)
    tcp.from_kernel(5001, 1006, ACK, 502, 0, NONE)
    tcp.from_kernel(5001, 1006, ACK | FIN, 502, 0, NONE)
    assert tcp.state is State.ESTABLISHED
    tcp.from_peer(1006, 5002, ACK, 0, NONE)
    assert tcp.state is State.CLOSED


def test_resets_count_where_the_receiver_takes_them() -> None:
    tcp = accepted()
    tcp.from_peer(1001, 0, RST, 0, NONE)
    assert tcp.state is State.ESTABLISHED
    tcp.from_peer(1000, 0, RST, 0, NONE)
    assert tcp.state is State.CLOSED
    tcp = accepted()
    tcp.from_kernel(5001, 1000, RST | ACK, 0, 0, NONE)
    assert tcp.state is State.CLOSED


def test_a_syn_ack_that_the_answer_has_overtaken_changes_nothing() -> None:
    tcp = accepted()
    tcp.from_peer(1000, 5001, ACK, 10, NONE)
    tcp.from_kernel(5000, 1000, SYN | ACK, 64240, 0, SCALE_7)
    assert tcp.state is State.ESTABLISHED
    tcp.from_kernel(5001, 1010, ACK, 502, 0, NONE)
    assert (tcp.rcv_nxt, tcp.rcv_edge) == (1010, 1010 + (502 << 7))


def test_a_syn_ack_that_the_reset_has_overtaken_opens_nothing() -> None:
    tcp = accepted()
    tcp.from_peer(1000, 5001, RST | ACK, 0, NONE)
    assert tcp.state is State.CLOSED
    tcp.from_kernel(5000, 1000, SYN | ACK, 64240, 0, SCALE_7)
    assert tcp.state is State.CLOSED
