# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m layers`` on every format of captures, on damaged ones, and on any bytes."""

import gzip
import io
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scapy.config import conf

from layers.__main__ import show
from tests.layers import captures
from tests.layers.captures import ETHERNET, START_NS, STEP_NS
from tests.layers.printer import FRAMES, SAMPLES, WHOLE, Printer
from tests.layers.printer import as_a_user_has_it as as_a_user_has_it
from tests.layers.printer import printer as printer
from tests.layers.printer import whole as whole


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("units", [10**6, 10**9])
def test_byte_orders_and_units_of_pcap(printer: Printer, whole: list[str], order: str, units: int) -> None:
    assert printer.lines(captures.pcap(FRAMES, order=order, units=units)) == whole
    assert printer.lines(captures.pcapng(FRAMES, order=order)) == whole


@pytest.mark.parametrize(
    ("options", "stamps"),
    [
        ([], (1_700_000_000_123_456, 1_700_000_000_124_456)),
        ([(9, b"\x03")], (1_700_000_000_123, 1_700_000_000_124)),
        ([(9, b"\x8a")], (1024 * 5, 1024 * 5 + 1)),
        ([(9, b"\x09"), (14, struct.pack("<q", -1_000_000))], (START_NS, START_NS + STEP_NS)),
        ([(2, b"eth0"), (9, b"\x0c")], (5 * 10**12, 5 * 10**12 + 10**9)),
    ],
)
def test_units_and_offset_of_an_interface(
    printer: Printer, options: list[tuple[int, bytes]], stamps: tuple[int, int]
) -> None:
    packets = [captures.packet(frame, stamp) for frame, stamp in zip(FRAMES, stamps, strict=True)]
    lines = printer.lines(captures.section() + captures.interface(ETHERNET, 0, *options) + b"".join(packets))
    expected = "0.000976562" if options == [(9, b"\x8a")] else "0.001000000"
    assert [line.split()[1] for line in lines] == ["0.000000000", expected]


def test_offset_of_one_interface_moves_its_packets_alone(printer: Printer) -> None:
    later = (14, struct.pack("<q", 2))
    capture = captures.section() + captures.interface(ETHERNET, 0, captures.NANOSECONDS)
    capture += captures.interface(ETHERNET, 0, captures.NANOSECONDS, later)
    capture += captures.packet(FRAMES[0], START_NS) + captures.packet(FRAMES[1], START_NS, index=1)
    assert [line.split()[1] for line in printer.lines(capture)] == ["0.000000000", "2.000000000"]


def test_interfaces_of_several_link_types_and_sections(printer: Printer, whole: list[str]) -> None:
    links = captures.interface(captures.COOKED_2, 0, captures.NANOSECONDS)
    capture = captures.section() + links + captures.interface(ETHERNET, 0, captures.NANOSECONDS)
    capture += captures.block(5, bytes(12)) + captures.block(0x0BAD, bytes(400))  # statistics, and one of a vendor
    capture += captures.packet(captures.cooked_2(FRAMES[0]), START_NS) + captures.old_packet(
        FRAMES[1], START_NS + STEP_NS, 1
    )
    capture += captures.pcapng(FRAMES[:1], order=">")
    assert printer.lines(capture) == [*whole, whole[0].replace("    1", "    3", 1)]


def test_ipv4_without_a_link(printer: Printer) -> None:
    frame = SAMPLES["udp-over-ipv4"]
    assert printer.lines(captures.pcap([frame[14:]], captures.RAW_IP)) == printer.lines(captures.pcap([frame]))


def test_compressed_captures(printer: Printer, whole: list[str]) -> None:
    packed = gzip.compress(WHOLE)
    assert printer.lines(packed) == whole
    for damaged in (packed[:-9], packed[:30], packed[:-8] + bytes(8), packed + b"and more"):
        code, lines, errors = printer.run(damaged)
        assert (code, len(errors)) == (2, 1)
        assert "damaged gzip" in errors[0]
        assert lines == whole[: len(lines)]


def test_captures_without_packets(printer: Printer) -> None:
    assert printer.lines(captures.pcap([])) == []
    assert printer.lines(captures.pcapng([])) == []


@pytest.mark.parametrize(
    ("capture", "fault"),
    [
        (b"", "an empty file"),
        (b"\x28\xb5\x2f\xfd" + bytes(60), "neither pcap nor pcapng"),
        (captures.pcap([])[:10], "it ends inside its header"),
        (captures.section()[:10], "it ends inside a section's header"),
        (captures.section().replace(b"\x4d\x3c\x2b\x1a", b"what"), "a section of neither byte order"),
        (captures.pcap(FRAMES, captures.UNKNOWN_LINK), "packets of link type 9999 cannot be decoded here"),
        (
            captures.section() + captures.packet(FRAMES[0], 0),
            "packet 1 was taken on interface 0, which the file does not",
        ),
        (captures.section() + captures.simple_packet(FRAMES[0]), "packet 1 was taken on interface 0"),
        (captures.section() + captures.interface() + captures.block(6, bytes(8)), "is too short for what"),
        (captures.pcap([]) + struct.pack("<IIII", 0, 0, 1 << 31, 60), "packet 1 is said to have 2147483648 bytes"),
        (captures.section() + struct.pack("<II", 6, 8) + bytes(8), "packet 1 is said to be in a block of 8 bytes"),
        (WHOLE[:-4] + bytes(4), "packet 2 is in a block whose two lengths differ"),
        (captures.section() + captures.interface(ETHERNET, 0, (9, b"")), "is too short for what"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_one_line(printer: Printer, capture: bytes, fault: str) -> None:
    code, _, errors = printer.run(capture)
    assert (code, len(errors)) == (2, 1)
    assert fault in errors[0]


def test_frames_of_no_bytes_are_no_packets(printer: Printer) -> None:
    assert printer.lines(captures.pcap([b""]))[0].split()[2:] == ["Raw"]


def test_output_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(WHOLE)
    command = f"exec {sys.executable} -m layers {path} > /dev/full"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (2, f"{path}: cannot print the packets: No space left on device\n")


def _changes() -> st.SearchStrategy[list[tuple[int, bytes, int]]]:
    """Places, what is put there, and how many bytes go."""
    interesting = st.binary(max_size=8) | st.sampled_from([bytes(4), b"\xff" * 4, b"\0\0\0\x80", b"\x01\0\0\0"])
    return st.lists(st.tuples(st.integers(0, 600), interesting, st.integers(0, 8)), max_size=5)


def _seeds() -> Iterator[bytes]:
    for link in sorted(conf.l2types.num2layer):
        yield captures.pcap([*FRAMES[:1], SAMPLES["udp-over-ipv4"][14:]], link, snap=70)
    yield WHOLE
    yield captures.section() + captures.interface() + b"".join(map(captures.simple_packet, FRAMES))
    yield gzip.compress(WHOLE)


def _changed(seed: bytes, changes: list[tuple[int, bytes, int]]) -> bytes:
    for place, put, gone in changes:
        seed = seed[:place] + put + seed[place + gone :]
    return seed


@given(st.binary(max_size=200) | st.builds(_changed, st.sampled_from([*_seeds()]), _changes()))
@example(captures.pcap([b"\x45"], captures.RAW_IP))
def test_no_bytes_end_in_a_traceback(capture: bytes) -> None:
    output, errors = io.StringIO(), io.StringIO()
    with NamedTemporaryFile() as file, redirect_stdout(output), redirect_stderr(errors):
        file.write(capture)
        file.flush()
        fault = show(file.name)
    assert errors.getvalue() == ""
    assert all(line.isprintable() for line in [fault, *output.getvalue().splitlines()])
