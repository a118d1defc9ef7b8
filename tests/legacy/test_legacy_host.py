# SPDX-License-Identifier: GPL-2.0-or-later
"""The host that has never heard of any of the protocols: the kernel on the wire, and the kernel behind a bump."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference.bump.segment import Segment, ipv4, read
from reference.bump.tcp import ACK, RST, SYN
from tests.lab.host import ROOT, Lab, configuration
from tests.lab.wire import DUT


class KernelLab(Lab):
    """The kernel of this machine."""

    command = ("kernel",)


@pytest.fixture(params=[KernelLab, Lab], ids=["kernel", "bump"])
def legacy(request: pytest.FixtureRequest) -> Iterator[Lab]:
    with request.param(protocol="legacy", role="host") as lab:
        yield lab


def test_the_kernel_says_who_it_is() -> None:
    with KernelLab(protocol="legacy", role="host") as lab:
        assert lab.ready == {"ready": True, "name": "Linux kernel", "version": os.uname().release}
        assert lab.call("status")["version"] == os.uname().release
        assert lab.stop() == 0


def test_it_serves(legacy: Lab) -> None:
    peer = legacy.peer("ipv4").connect()
    assert peer.echo(b"hello")


def test_it_listens_and_does_not_move(legacy: Lab) -> None:
    listener = legacy.call("listen", port=0, service="manual")
    legacy.peer("ipv4", service=listener["port"]).connect()
    connection = legacy.accepted(listener["listener"])
    assert connection["local"] == f"{DUT['ipv4']}:{listener['port']}"
    with pytest.raises(LookupError, match="-32601"):
        legacy.call("move", address="198.18.0.2")


def test_the_kernel_needs_ipv4(tmp_path: Path) -> None:
    networks = {"ipff": configuration()["networks"]["ipff"]}
    path = tmp_path / "dut.json"
    path.write_text(json.dumps(configuration(networks=networks)))
    ended = subprocess.run(
        [sys.executable, "-m", "reference", "kernel"],
        cwd=ROOT, capture_output=True, text=True, env={"DUT_WIRES": "lo", "DUT_CONFIG": str(path)},
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr == "reference: DUT_CONFIG: networks must have ipv4 for a kernel on the wire\n"


def test_segments_are_read_as_they_are_written() -> None:
    segment = Segment(1, 2, 1027, 7, 10, 20, ACK, 512, b"\xfd\x04\x00\x01", b"data")
    assert read(segment.packet()) == segment
    assert read(ipv4(1, 2, 254, bytes(20))) is None
    assert segment.unknown == [(253, b"\xfd\x04\x00\x01")]
    assert segment.reset() == Segment(2, 1, 7, 1027, 20, 14, RST | ACK)
    assert segment.with_options(b"\x01", b"\x02\x04\x05\xb4").area == b"\x01\x02\x04\x05\xb4\0\0\0"


@pytest.mark.parametrize(
    ("area", "malformed"),
    [(b"", False), (b"\x01\x01\x00\x00", False), (b"\xfd\x00\x00\x00", True), (b"\xfd\x05\x00\x00", True)],
)
def test_illegal_lengths_are_noticed(area: bytes, malformed: bool) -> None:
    assert Segment(1, 2, 3, 4, 5, 6, SYN, area=area).is_malformed == malformed
