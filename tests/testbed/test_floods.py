# SPDX-License-Identifier: GPL-2.0-or-later
"""A device that sends more than anybody can read: the case ends, and says why."""

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether
from scapy.utils import rdpcap

from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, Verdict
from testbed.interruptions import Inconclusive
from testbed.peers import stream
from testbed.peers.connection import connect, new_peer
from testbed.peers.stream import exchange
from testbed.run.record import failure_text, record
from testbed.run.room import LEAST_OF_A_CASE, LOGS_OF_A_RUN, LONGEST_LOG, MOST_OF_A_CASE, SHORTEST_LOG, Room
from testbed.wire import capture
from testbed.wire.clock import Deadline
from tests.testbed.lab import Lab, lab_in

FLOOD_S = 6.0


def flood(lab: Lab, case: Case) -> None:
    """Let the device send small packets to the case for some seconds."""
    lab.tells("flood", frame=small_packet(case), seconds=FLOOD_S)


@pytest.fixture(autouse=True)
def after_the_flood(lab: Lab) -> Iterator[None]:
    """The device of these tests sends no more, and all of it has been read, before another test begins."""
    yield
    interface = lab.setup.links["link"].interface
    lab.tells("flood_over")
    while time.time_ns() - interface.drained_ns > 100_000_000:
        time.sleep(0.05)


def small_packet(case: Case) -> str:
    """A packet of the device to the case, in hexadecimal."""
    packet = IP(src=case.network.dut, dst=case.station().address, proto=253) / bytes(24)
    return bytes(Ether(src=case.dut_mac, dst=case.interface.mac) / packet).hex()


def test_waiting_ends_in_the_middle_of_a_flood(lab: Lab, case: Case) -> None:
    flood(lab, case)
    began = time.monotonic()
    with contextlib.suppress(Inconclusive):
        case.look(lambda: None, Deadline(time.time_ns(), 0.3))
    assert time.monotonic() - began < FLOOD_S - 1


def test_no_more_is_kept_than_there_is_room_for(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "MOST_FRAMES", 500)

    def body(case: Case) -> None:
        flood(lab, case)
        case.look(lambda: None, Deadline(time.time_ns(), 2))

    outcome = lab.runs(body)
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert "more than 500 frames in this case" in outcome.finding.reason
    assert outcome.case
    assert len(outcome.case.trace.frames) <= 510


def test_no_more_bytes_are_kept_than_there_is_room_for(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "MOST_BYTES", 40_000)

    def body(case: Case) -> None:
        lab.tells("emit", frames=[small_packet(case)] * 1_000)
        case.look(lambda: None, Deadline(time.time_ns(), 1))

    outcome = lab.runs(body)
    assert "more than 40000 bytes in this case" in outcome.finding.reason
    assert outcome.case
    assert sum(len(frame.data) for frame in outcome.case.trace.frames) < 42_000


def test_evidence_of_a_flood_is_bounded_and_says_what_is_missing(lab: Lab, tmp_path: Path) -> None:
    """What decided is there, what was left out is counted, and the console shows a screen of it."""

    def body(case: Case) -> None:
        packet = small_packet(case)
        for _ in range(7):
            lab.tells("emit", frames=[packet] * 1_000)
        case.look(lambda: None, Deadline(time.time_ns(), 0.2))
        raise Broken(Finding("wrong"), list(case.trace.received())[3_000])

    outcome = lab.runs(body)
    assert outcome.case
    seen = len(outcome.case.trace.frames)
    assert seen > 6_000
    for run, most in ((Room(), MOST_OF_A_CASE), (_full(), LEAST_OF_A_CASE)):
        entry = record(outcome, tmp_path, run)
        assert len(entry["frames"]) == most + 1
        assert [frame["index"] for frame in entry["frames"]] == sorted({frame["index"] for frame in entry["frames"]})
        assert sum(frame["deciding"] for frame in entry["frames"]) == 1
        assert entry["values"]["frames that are not kept"] == f"{seen - most - 1} of {seen}"
        assert len(rdpcap(str(tmp_path / entry["evidence"]))) == most + 1
        text = failure_text(entry, [])
        assert " more\n" in text
        assert text.count("\n") < 160


def _full() -> Room:
    room = Room()
    room._frames = 0
    return room


def test_logs_of_a_run_are_bounded() -> None:
    room, line = Room(), "1234567\n"
    assert room.log(line * 100) == line * 100
    long = room.log(line * 100_000)
    assert long.startswith(f"({800_000 - LONGEST_LOG} characters of the log are left out here)\n")
    assert len(long) < LONGEST_LOG + 80
    kept = [len(room.log(line * 100_000)) for _ in range(300)]
    assert sum(kept) < LOGS_OF_A_RUN + 300 * (SHORTEST_LOG + 80)
    assert min(kept) > SHORTEST_LOG


def test_a_stream_that_drips_is_waited_for_to_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = lab_in(tmp_path, "--be", "dripping")
    monkeypatch.setattr(stream, "_LONGEST_TRANSFER_S", 1)
    began = time.monotonic()
    try:
        outcome = lab.runs(lambda case: exchange(case, connect(case, new_peer(case, case.station())), bytes(100)))
    finally:
        lab.close()
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert re.search(r"the device drips data on .*: \d+ of 100 bytes came within 1 s", outcome.finding.reason)
    assert time.monotonic() - began < 15, "100 bytes take 20 s"
