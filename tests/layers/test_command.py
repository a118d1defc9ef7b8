# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m layers``: a capture in, one line a packet out."""

import subprocess
import sys
from pathlib import Path

import pytest
from scapy.fields import RawVal
from scapy.layers.inet import IP, TCP
from scapy.packet import Raw
from scapy.utils import wrpcap, wrpcapng

from layers import samples
from layers.__main__ import main
from layers.icmpv5 import ICMPv5EchoRequest
from tests.layers.vectors import LINES


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "all.pcap"
    wrpcap(str(path), list(samples.frames().values()))
    return path


def lines(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    assert main([str(path), *options]) == 0
    return capsys.readouterr().out.splitlines()


def test_one_printable_line_a_packet(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = lines(capture, capsys)
    assert len(printed) == len(samples.frames())
    assert all(line.isprintable() for line in printed)
    assert [int(line.split()[0]) for line in printed] == list(range(1, len(printed) + 1))


@pytest.mark.parametrize(("name", "expected"), LINES)
def test_line_says_what_matters(name: str, expected: str, capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = lines(capture, capsys)[list(samples.frames()).index(name)]
    assert expected in line
    assert "wrong checksum" not in line


def test_line_names_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wrong.pcapng"
    frames = [
        samples.ipff(ICMPv5EchoRequest(checksum=1)),
        samples.ipff(TCP(chksum=1)),
        samples.ipv4(TCP(dataofs=6, options=RawVal(b"\xfd\x09\0\0"))),
        samples.ipv4(TCP(options=[(253, b"")])),
    ]
    wrpcapng(str(path), frames)
    printed = lines(path, capsys)
    assert "[wrong checksum]" in printed[0]
    assert "[wrong checksum]" in printed[1]
    assert "[length 9 of option 253, with 4 bytes left]" in printed[2]
    assert "[" not in printed[3]


def test_numbers_of_a_profile_are_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.pcap"
    frame = samples.ipv4(Raw(bytes(ICMPv5EchoRequest() / b"ping")))
    frame[IP].proto = 200
    wrpcap(str(path), [frame])
    assert "Echo Request" in lines(path, capsys, "--ipv4-protocol", "200")[0]
    assert "Echo Request" not in lines(path, capsys)[0]


def test_unreadable_capture_is_one_line_and_code_2(tmp_path: Path) -> None:
    empty, text = tmp_path / "empty", tmp_path / "text"
    empty.write_bytes(b"")
    text.write_text("no capture at all, but long enough to hold a header")
    for path, reason in (
        (tmp_path / "missing", "No such file"),
        (tmp_path, "Is a directory"),
        (empty, "an empty file"),
        (text, "neither pcap nor pcapng"),
    ):
        run = subprocess.run([sys.executable, "-m", "layers", str(path)], capture_output=True, text=True, check=False)
        assert (run.returncode, run.stdout) == (2, "")
        assert reason in run.stderr
        assert len(run.stderr.splitlines()) == 1


def test_reader_that_goes_away_is_no_error(capture: Path) -> None:
    command = f"{sys.executable} -m layers {capture} | head -1; exit ${{PIPESTATUS[0]}}"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert len(run.stdout.splitlines()) == 1
