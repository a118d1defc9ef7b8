# SPDX-License-Identifier: GPL-2.0-or-later
"""A run touches the wire and the addresses of its profile and nothing else, a run at the same time neither."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from layers.capture import captured
from layers.fields import address_to_int
from layers.ipff import IPFF
from profiles import load
from tests.testbed.lab import SERVER
from tests.testbed.runs import SHORT, UNBROKEN, Run, Scenarios, run, scenarios
from tests.wire.box import certify

CASES = "conformance/mops/server/test_4_1_reply.py"
WIRE, BROADCAST = "lab0", "ff:ff:ff:ff:ff:ff"
CONTROL = "overheard"

Frames = dict[str, list[bytes]]


def overheard(folder: Path, kind: str) -> Run:
    """A run beside which everything on the host's interfaces is written down."""
    within = (sys.executable, "-m", "tests.wire.overhear", str(folder / "run0/frames"))
    profile = SHORT if kind == "namespace" else None
    return certify(SHORT, SERVER, folder, CASES, within=within, profile=profile)[0]


RUNS = {kind: lambda folder, kind=kind: overheard(folder, kind) for kind in ("namespace", "interface")}


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenarios]:
    yield from scenarios(RUNS, request, tmp_path_factory)


def frames_of(done: Run) -> Frames:
    """What was on each interface, without the lines by which the capture proves that it works on each."""
    found: Frames = {}
    for line in (done.folder.parent / "frames").read_text().splitlines():
        interface, octets = line.split()
        found.setdefault(interface, []).append(bytes.fromhex(octets))
    assert any(CONTROL.encode() in frame for frame in found["lo"])
    assert any(frame[12:14] == b"\x08\x06" for frame in found["out0"])
    return found


def stray(frames: Frames) -> list[str]:
    """Frames on interfaces that are none of the profile's wires."""
    return [
        f"{name}: {Ether(frame).summary()}"
        for name, seen in frames.items()
        for frame in seen
        if name != WIRE and not is_control(frame)
    ]


def is_control(frame: bytes) -> bool:
    """Whether it is one of the capture's own: on the loopback interface, or the question for the way out."""
    packet = Ether(frame)
    return CONTROL.encode() in frame or (ARP in packet and packet[ARP].pdst == "192.0.2.1")


def is_of_the_profile(frame: bytes) -> bool:
    """Whether both ends of a frame have addresses that the profile names."""
    ipff, ipv4 = load(SHORT).ixit.ipff.of("link"), load(SHORT).ixit.ipv4.of("link")
    assert ipff
    assert ipv4
    packet = Ether(frame)
    if header := packet.getlayer(IPFF):
        ends, table = [header.src, header.dst], ipff
    elif header := packet.getlayer(ARP):
        ends, table = [header.psrc, header.pdst], ipv4
    elif header := packet.getlayer(IP):
        ends, table = [header.src, header.dst], ipv4
    else:
        return False
    first, last = address_to_int(table.tester_first), address_to_int(table.tester_last)
    ends = [end for end in ends if not (ARP in packet and end == "0.0.0.0")]  # a probe, and its answer (RFC 5227)
    return all(end in (table.address, *table.moves_to) or first <= address_to_int(end) <= last for end in ends)


@pytest.mark.parametrize(
    ("frame", "inside"),
    [
        (IP(src="198.19.0.1", dst="198.18.0.1"), True),
        (IP(src="198.19.0.1", dst="198.18.0.9"), False),
        (IP(src="192.0.2.2", dst="198.18.0.1"), False),
        (ARP(psrc="198.18.0.1", pdst="192.0.2.1"), False),
        (IPFF(src="525.8.78.0.1", dst="8.8.8.8.8"), True),
        (IPFF(src="525.8.79.0.1", dst="8.8.8.8.8"), False),
        (Raw(b"spanning tree"), False),
    ],
)
def test_addresses_outside_of_the_profile_are_told_apart(frame: Packet, inside: bool) -> None:
    assert is_of_the_profile(bytes(Ether(dst=BROADCAST) / frame)) is inside


def test_a_run_over_namespaces_leaves_the_host_alone(runs: Scenarios) -> None:
    done = runs("namespace")
    assert done.code in UNBROKEN, done.output
    frames = frames_of(done)
    assert stray(frames) == []
    assert WIRE not in frames


def test_a_run_over_an_interface_keeps_to_its_wire_and_addresses(runs: Scenarios) -> None:
    done = runs("interface")
    assert done.code in UNBROKEN, done.output
    frames = frames_of(done)
    assert stray(frames) == []
    assert len(frames[WIRE]) > 500
    assert [Ether(frame).summary() for frame in frames[WIRE] if not is_of_the_profile(frame)] == []


def test_two_runs_at_once_do_not_hear_each_other(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor() as pool:
        one, other = pool.map(lambda folder: run(CASES, SHORT, folder, "-n", "0"), folders)
    seen = []
    for done in (one, other):
        assert done.code in UNBROKEN, done.output
        files = [done.folder / case["evidence"] for case in done.results["cases"]]
        seen.append({frame.data for file in files for frame in captured(str(file))})
    assert min(map(len, seen)) > 200
    assert not seen[0] & seen[1]
    ends = [{frame[at : at + 6].hex(":") for frame in frames for at in (0, 6)} - {BROADCAST} for frames in seen]
    assert not ends[0] & ends[1]
