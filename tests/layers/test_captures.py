# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m layers`` on captures that are cut, ended early or cooked, and on Simple Packet Blocks."""

from collections.abc import Callable
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from layers import samples
from layers.__main__ import main
from layers.icmpv5 import ICMPv5EchoRequest
from tests.layers import captures
from tests.layers.printer import FRAMES, SAMPLES, Made, Printer
from tests.layers.printer import as_a_user_has_it as as_a_user_has_it
from tests.layers.printer import printer as printer
from tests.layers.printer import whole as whole


def without_time(lines: list[str]) -> list[str]:
    return [line[:5] + " " * 15 + line[20:] for line in lines]


@pytest.mark.parametrize("made", [captures.pcap, captures.pcapng])
def test_snap_length_is_no_fault_of_the_packet(printer: Printer, whole: list[str], made: Made) -> None:
    size = len(FRAMES[0])
    assert printer.lines(made(FRAMES, snap=96)) == [
        f"{line}  [cut by the capture, 96 of {size} bytes]" for line in whole
    ]


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_is_called_wrong_that_was_cut(printer: Printer, name: str) -> None:
    frame = SAMPLES[name]
    for kept in range(1, len(frame)):
        (line,) = printer.lines(captures.pcapng([frame], snap=kept))
        assert line.endswith(f"  [cut by the capture, {kept} of {len(frame)} bytes]")
        assert line.count("[") == 1 + line.count("['"), line


@pytest.mark.parametrize(("name", "data"), [("tcp-over-ipff", 18), ("udp-over-ipff", 8), ("udp-over-ipv4", 8)])
def test_lengths_are_those_of_the_wire(printer: Printer, name: str, data: int) -> None:
    frame = SAMPLES[name] + bytes(6)  # padding, which is no data
    for kept in range(len(frame) - 6 - data, len(frame)):
        (line,) = printer.lines(captures.pcapng([frame], snap=kept))
        assert f"  {data} bytes  [cut" in line


def test_options_that_were_cut_are_neither_shown_nor_wrong(printer: Printer) -> None:
    frame = bytes(samples.ipv4(TCP(options=[("MSS", 1460), ("Timestamp", (1, 2))]) / b"data"))
    (line,) = printer.lines(captures.pcapng([frame], snap=14 + 20 + 20 + 6))
    assert line.endswith(f"  4 bytes  [cut by the capture, 60 of {len(frame)} bytes]")


def test_what_the_kept_bytes_decide_is_said(printer: Printer) -> None:
    padding = bytes(10)
    wrong = bytes(samples.ipff(ICMPv5EchoRequest(checksum=1) / b"ping"))
    (line,) = printer.lines(captures.pcapng([wrong + padding], snap=len(wrong) + 2))
    assert "[wrong checksum]  [cut by the capture" in line
    bad_length = bytes(samples.ipv4(TCP(options=[(253, b"")]) / bytes(30))).replace(b"\xfd\x02", b"\xfd\x09")
    (line,) = printer.lines(captures.pcapng([bad_length], snap=len(bad_length) - 4))
    assert "[length 9 of option 253, with 4 bytes left]  [cut" in line


def test_first_fragment_has_no_checksum_to_judge(printer: Printer) -> None:
    whole = samples.ipv4(Raw(bytes(ICMPv5EchoRequest() / bytes(range(200)))))
    whole[IP].proto = 254
    first = Ether(**samples.MACS) / whole[IP].fragment(fragsize=96)[0]
    (line,) = printer.lines(captures.pcapng([bytes(first)]))
    assert "Echo Request" in line
    assert "[" not in line


@pytest.mark.parametrize("made", [captures.pcap, captures.pcapng])
def test_end_inside_a_packet_is_an_error_after_the_packets_before(
    printer: Printer, whole: list[str], made: Made
) -> None:
    capture = made(FRAMES)
    ends = {len(made(FRAMES[:number])): number for number in range(3)}
    if made is captures.pcapng:
        ends[len(captures.section())] = 0
    for size in range(1, len(capture) + 1):
        code, lines, errors = printer.run(capture[:size])
        if size in ends:
            assert (code, lines, errors) == (0, whole[: ends[size]], []), size
        else:
            assert (code, len(errors)) == (2, 1), size
            assert lines == whole[: sum(end <= size for end, number in ends.items() if number)]
    _, _, errors = printer.run(capture[:-100])
    assert errors[0].endswith("/capture: it ends inside packet 2")


@pytest.mark.parametrize(
    ("link", "cooked"), [(captures.COOKED, captures.cooked), (captures.COOKED_2, captures.cooked_2)]
)
@pytest.mark.parametrize("made", [captures.pcap, captures.pcapng])
def test_cooked_captures_are_decoded_like_others(
    printer: Printer, link: int, cooked: Callable[[bytes], bytes], made: Made
) -> None:
    frames = [*SAMPLES.values()]
    assert printer.lines(made([cooked(frame) for frame in frames], link)) == printer.lines(made(frames))


def test_readings_of_ipff_hold_for_cooked_captures_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.pcap"
    frame = samples.ipff(ICMPv5EchoRequest())
    frame.type = 0x1234
    path.write_bytes(captures.pcap([captures.cooked_2(bytes(frame))], captures.COOKED_2))
    assert main([str(path), "--ethertype", "0x1234"]) == 0
    assert "Echo Request" in capsys.readouterr().out
    assert main([str(path)]) == 0
    assert "Echo Request" not in capsys.readouterr().out


def test_simple_packet_blocks_have_no_times(printer: Printer, whole: list[str]) -> None:
    capture = captures.section() + captures.interface() + b"".join(map(captures.simple_packet, FRAMES))
    assert printer.lines(capture) == without_time(whole)
    cut = captures.section() + captures.interface(snap=96) + captures.simple_packet(FRAMES[0], snap=96)
    note = f"  [cut by the capture, 96 of {len(FRAMES[0])} bytes]"
    assert printer.lines(cut) == [without_time(whole)[0] + note]
