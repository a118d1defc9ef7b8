# SPDX-License-Identifier: GPL-2.0-or-later
"""Evidence: pcapng that other programs read, and entries that are plain data."""

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from scapy.layers.inet import TCP
from scapy.utils import rdpcap

from testbed.case.case import Case
from testbed.case.verdict import Broken, Difference, Finding, Verdict
from testbed.device.log import DeviceLog
from testbed.peers.connection import connect, new_peer
from testbed.peers.stream import exchange
from testbed.run.attempts import Outcome
from testbed.run.record import IN_CAPTURE, MOST_OF_A_PASS, as_line, failure_text, record
from tests.testbed.lab import Lab


@pytest.fixture(scope="module")
def outcome(lab: Lab) -> Outcome:
    """A case that found the device wrong."""

    def body(case: Case) -> None:
        peer = connect(case, new_peer(case, case.station()))
        exchange(case, peer, b"hello")
        lab.tells("say", text=f"received from {peer.station.address}")
        lab.tells("say", text=f"received from {peer.station.address}7")
        frame = case.trace.frames[-1]
        raise Broken(Finding("wrong", "this", "that", [Difference("code", "2", "3")]), frame)

    return lab.runs(body)


def test_scapy_reads_the_capture_with_nanoseconds(outcome: Outcome, tmp_path: Path) -> None:
    entry = record(outcome, tmp_path)
    assert outcome.case
    frames = outcome.case.trace.frames
    packets = rdpcap(str(tmp_path / entry["evidence"]))
    assert [bytes(packet) for packet in packets] == [frame.data for frame in frames]
    assert [int(packet.time * 10**9) for packet in packets] == [frame.ns for frame in frames]
    assert any(bytes(packet[TCP].payload) == b"hello" for packet in packets if TCP in packet)


def test_the_ladder_of_a_pass_is_cut_to_its_ends(lab: Lab, tmp_path: Path) -> None:
    """The capture has all of it."""

    def body(case: Case) -> None:
        peer = connect(case, new_peer(case, case.station()))
        for _ in range(MOST_OF_A_PASS):
            exchange(case, peer, b"hello")

    outcome = lab.runs(body)
    entry = record(outcome, tmp_path)
    assert outcome.case
    kept = len(rdpcap(str(tmp_path / entry["evidence"])))
    frames = outcome.case.trace.frames[:kept]  # some may have come since
    half = MOST_OF_A_PASS // 2
    shown = [frame.index for frame in [*frames[:half], *frames[-half:]]]
    assert [frame["index"] for frame in entry["frames"]] == shown
    assert entry["values"][IN_CAPTURE] == f"{len(frames) - len(shown)} of {len(frames)}"
    assert kept > MOST_OF_A_PASS


@pytest.mark.skipif(not shutil.which("tshark"), reason="no tshark here")
def test_tshark_reads_the_capture_with_direction_and_comments(outcome: Outcome, tmp_path: Path) -> None:
    entry = record(outcome, tmp_path)
    assert outcome.case
    fields = ["-e", "frame.time_epoch", "-e", "frame.packet_flags_direction", "-e", "frame.comment"]
    command = ["tshark", "-r", str(tmp_path / entry["evidence"]), "-T", "fields", *fields]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    frames = outcome.case.trace.frames
    assert len(lines) == len(frames)
    for line, frame in zip(lines, frames, strict=True):
        stamp, direction, comment = line.split("\t")
        assert stamp.replace(".", "").startswith(str(frame.ns))
        assert int(direction, 0) == (2 if frame.outgoing else 1)
        assert comment.startswith(f"#{frame.index}")


def test_entry_is_json_and_its_text_says_it_all(outcome: Outcome, tmp_path: Path) -> None:
    entry = json.loads(json.dumps(record(outcome, tmp_path)))
    assert outcome.case
    assert (entry["verdict"], entry["attempts"]) == ("FAIL", 1)
    assert entry["frames"][-1]["deciding"]
    assert entry["frames"][0]["time_s"] == 0
    assert entry["frames"][0]["hex"] == outcome.case.trace.frames[0].data.hex()
    text = failure_text(entry, [("TEST-1-01", "The device must.")])
    last = entry["frames"][-1]["index"]
    wanted = ["FAIL: wrong", "TEST-1-01: “The device must.”", "expected  this", "seen      that", "expected 2, seen 3"]
    assert all(word in text for word in [*wanted, f"!#{last}", "rerun     rerun", "evidence/"])


def test_log_of_a_case_has_the_lines_that_name_its_address(outcome: Outcome, tmp_path: Path) -> None:
    time.sleep(0.05)
    entry = record(outcome, tmp_path)
    assert outcome.case
    (address,) = outcome.case.addresses
    assert entry["log"] == f"received from {address}"


def test_log_of_a_case_without_an_address_ends_with_the_case(lab: Lab, tmp_path: Path) -> None:
    def body(case: Case) -> None:
        lab.tells("say", text="said in the case")
        time.sleep(0.05)

    silent = lab.runs(body)
    lab.tells("say", text="said after the case")
    time.sleep(0.05)
    assert record(silent, tmp_path)["log"].splitlines()[-1] == "said in the case"


def test_names_of_evidence_files_are_different_and_short(outcome: Outcome, tmp_path: Path) -> None:
    from dataclasses import replace

    paths = set()
    for identifier in (
        "a.py::t[x/y]",
        "a.py::t[x:y]",
        "a.py::t[x y]",
        "a.py::t[" + "long" * 100 + "]",
        "a.py::../../t",
    ):
        changed = replace(outcome, spec=replace(outcome.spec, id=identifier))
        path = record(changed, tmp_path)["evidence"]
        assert (tmp_path / path).resolve().parent == tmp_path / "evidence"
        paths.add(path)
    assert len(paths) == 5


def test_case_without_frames_has_an_empty_capture(lab: Lab, tmp_path: Path) -> None:
    entry = record(lab.runs(lambda case: None), tmp_path)
    assert entry["frames"] == []
    assert (tmp_path / entry["evidence"]).stat().st_size
    nothing = record(Outcome(lab.runs(lambda case: None).spec, Verdict.NOT_RUN, Finding("lost")), tmp_path)
    assert (nothing["verdict"], nothing["reason"], nothing["evidence"]) == ("NOT RUN", "lost", None)
    assert nothing.keys() == entry.keys()


def test_frames_have_fields_where_a_case_did_not_pass(outcome: Outcome, lab: Lab, tmp_path: Path) -> None:
    failed = record(outcome, tmp_path)
    assert all(["TCP", "flags", "S"] in map(list, frame["fields"]) for frame in failed["frames"][:1])
    passed = record(lab.runs(lambda case: connect(case, new_peer(case, case.station()))), tmp_path)
    assert passed["verdict"] == "PASS"
    assert len(passed["frames"]) >= 3
    assert not any("fields" in frame for frame in passed["frames"])


def test_line_holds_any_text_of_a_device() -> None:
    entry = {"log": 'line\nquote" backslash\\ \udc80\x00 \u202e ü'}
    line = as_line(entry)
    assert b"\n" not in line
    assert json.loads(line.decode()) == {"log": entry["log"].replace("\udc80", "\\udc80")}


def test_log_keeps_the_end_of_what_a_device_says() -> None:
    program = "import sys; [print(n, file=sys.stderr) for n in range(30000)]; print('x' * 5000, file=sys.stderr)"
    process = subprocess.Popen(["python3", "-c", program], stderr=subprocess.PIPE)
    assert process.stderr
    log = DeviceLog(process.stderr)
    process.wait()
    assert log.tail().splitlines()[0] == "29993"
    assert log.tail().splitlines()[-1] == "x" * 100 + " ..."
    kept = log.between(0, time.time_ns()).splitlines()
    assert kept[0] == "(10001 earlier lines of the log are not kept)"
    assert kept[-1] == "x" * 2000 + " (and 3000 bytes more of this line)"
    assert len(kept) == 20_001
