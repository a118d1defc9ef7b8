# SPDX-License-Identifier: GPL-2.0-or-later
"""An outcome as plain data for results.json (docs/results.md), as its line there, and as text for the console."""

import json
import re
import zlib
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from testbed.case.case import Case
from testbed.case.verdict import Verdict
from testbed.device.untrusted import with_texts, without_surrogates
from testbed.run.attempts import Outcome
from testbed.run.room import Room, ends
from testbed.wire import pcapng
from testbed.wire.capture import Frame
from testbed.wire.clock import NANO
from testbed.wire.notation import decoded_fields, describe

EVIDENCE = "evidence"

LEFT_OUT = "frames that are not kept"
"""What is measured where a case's evidence has not all of its frames."""

IN_CAPTURE = "frames that the capture alone has"
"""What is measured where the ladder of a PASS has not all of them."""

MOST_OF_A_PASS = 80
"""Frames in the ladder of a case that is PASS: the first half and the last."""

_MOST_SHOWN = 80
_LOGGED_LATE_NS = NANO // 5
_LONGEST_NAME = 120
_USUAL_ID = re.compile(r"[\w.-]+(\[[A-Za-z0-9_.,=-]+\])?")


def record(outcome: Outcome, folder: Path, room: Room | None = None) -> dict[str, Any]:
    """The case's entry of results.json, every key in it; writes its pcapng below `folder`, of both as there is room.

    Where the case is PASS the frames have no decoded fields, for the bytes are enough, and there are some 80 of them.
    """
    spec, finding, case = outcome.spec, outcome.finding, outcome.case
    entry: dict[str, Any] = {
        "id": spec.id,
        "node": spec.node,
        "purpose": spec.purpose,
        "behaviour": spec.behaviour,
        "requirements": [requirement.id for requirement in spec.requirements],
        "section": " ".join(spec.requirements[0].section.split()) if spec.requirements else "",
        "parameters": spec.parameters,
        "verdict": outcome.verdict.value,
        "reason": finding.reason,
        "expected": finding.expected,
        "seen": finding.seen,
        "differences": [vars(difference) for difference in finding.differences],
        "values": {},
        "frames": [],
        "evidence": None,
        "evidence_sha256": "",
        "attempts": outcome.attempts,
        "duration_s": outcome.duration_s,
        "waits_s": 0.0,
        "rerun": spec.rerun,
        "log": "",
    }
    if case is None:
        return entry
    room = room or Room()
    seen = case.trace.frames
    frames = room.frames(seen)
    left_out = {LEFT_OUT: f"{len(seen) - len(frames)} of {len(seen)}"} if len(frames) < len(seen) else {}
    evidence = f"{EVIDENCE}/{_file_name(spec.id)}.pcapng"
    digest = pcapng.write(folder / evidence, frames, list(case.sides), f"{spec.id}: {outcome.verdict}")
    is_pass = outcome.verdict is Verdict.PASS
    shown = ends(len(frames), MOST_OF_A_PASS if is_pass else len(frames))
    rungs = [frame for frame, is_shown in zip(frames, shown, strict=True) if is_shown]
    if len(rungs) < len(frames):
        left_out[IN_CAPTURE] = f"{len(frames) - len(rungs)} of {len(frames)}"
    return entry | {
        "values": case.values | left_out,
        "frames": [_frame(case, frame, frames[0].ns, has_fields=not is_pass) for frame in rungs],
        "evidence": evidence,
        "evidence_sha256": digest,
        "waits_s": case.waits_ns / NANO,
        "log": room.log(_log(case)),
    }


def _log(case: Case) -> str:
    """What the device said in the case; where the case had addresses, also a little later of these."""
    log = case.setup.dut.log
    if log is None:
        return ""
    end_ns = case.ended_ns or case.clock.now_ns()
    return log.between(case.started_ns, end_ns + (_LOGGED_LATE_NS if case.addresses else 0), case.addresses)


def _frame(case: Case, frame: Frame, start_ns: int, *, has_fields: bool) -> dict[str, Any]:
    network = case.sides[frame.interface].network
    words = describe(network, frame)
    return {
        "index": frame.index,
        "interface": frame.interface,
        "time_s": (frame.ns - start_ns) / NANO,
        "direction": "to dut" if frame.outgoing else "from dut",
        "source": words.source,
        "destination": words.destination,
        "summary": words.summary,
        **({"fields": decoded_fields(network, frame)} if has_fields else {}),
        "hex": frame.data.hex(),
        "note": frame.note,
        "deciding": frame.deciding,
    }


def as_line(entry: dict[str, Any]) -> bytes:
    """The entry as one line of JSON in UTF-8, without the end of the line.

    A path may hold any byte, UTF-8 may not: half surrogates are spelled out.
    """
    try:
        return _json(entry)
    except UnicodeEncodeError:
        return _json(with_texts(entry, without_surrogates))


def _json(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()


def told(entry: dict[str, Any]) -> dict[str, Any]:
    """What a case's report tells the process that keeps the results: the line, and what has to be known at once."""
    known = ("id", "verdict", "requirements", "evidence", "evidence_sha256")
    return {name: entry[name] for name in known} | {"line": as_line(entry)}


def _file_name(identifier: str) -> str:
    """A file name from a case's id; never that of another case."""
    name = re.sub(r"[^A-Za-z0-9_.,=-]+", "-", identifier).strip("-")
    if _USUAL_ID.fullmatch(identifier) and len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:_LONGEST_NAME]}-{zlib.crc32(identifier.encode()):08x}"


def failure_text(entry: dict[str, Any], requirements: list[tuple[str, str]]) -> str:
    """A finding for people at a terminal: verdict, quote, both sides, all frames, evidence, how to run it again."""
    lines = [f"{entry['verdict']}: {entry['reason']}", "", f"purpose   {entry['purpose']}"]
    lines += [f"judges    {identifier}: “{quote}”" for identifier, quote in requirements]
    if entry["expected"] or entry["seen"]:
        lines += ["", f"expected  {entry['expected']}", f"seen      {entry['seen']}"]
    lines += [f"differs   {d['field']}: expected {d['expected']}, seen {d['seen']}" for d in entry["differences"]]
    if frames := entry.get("frames"):
        several = len({frame["interface"] for frame in frames}) > 1
        shown = _among(frames)
        ladder = [_ladder_line(frame, frame["interface"] if several else "") for frame in frames]
        lines += ["", "frames", *_shown(ladder, shown)]
    if entry.get("log"):
        log = [f"  {line}" for line in entry["log"].split("\n")]
        lines += ["", "device log", *_shown(log, ends(len(log), _MOST_SHOWN))]
    if entry.get("evidence"):
        lines += ["", f"evidence  {entry['evidence']}"]
    return "\n".join([*lines, f"rerun     {entry['rerun']}"])


def _among(frames: list[dict[str, Any]]) -> list[bool]:
    """Of each frame whether it is shown: the first and the last, and the first of those that decided."""
    decided = [place for place, frame in enumerate(frames) if frame["deciding"]][:_MOST_SHOWN]
    return [wanted or place in decided for place, wanted in enumerate(ends(len(frames), _MOST_SHOWN))]


def _shown(lines: list[str], wanted: list[bool]) -> list[str]:
    """Those lines that are wanted, and a line for each gap."""
    found = []
    for is_wanted, group in groupby(zip(lines, wanted, strict=True), key=itemgetter(1)):
        part = [line for line, _ in group]
        found += part if is_wanted else [f"  ... {len(part)} more"]
    return found


def _ladder_line(frame: dict[str, Any], interface: str) -> str:
    arrow = "->" if frame["direction"] == "to dut" else "<-"
    mark = "!" if frame["deciding"] else " "
    note = f"   ({frame['note']})" if frame["note"] else ""
    ends = f"{frame['source']} > {frame['destination']}"
    where = f"{interface:10}" if interface else ""
    return f" {mark}#{frame['index']:<5} {frame['time_s']:9.6f} s {where}{arrow} {ends:44} {frame['summary']}{note}"
