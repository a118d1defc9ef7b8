# SPDX-License-Identifier: GPL-2.0-or-later
"""An outcome as plain data for results.json (docs/results.md) and as text for the console."""

import re
import zlib
from pathlib import Path
from typing import Any

from testbed.case.case import Case
from testbed.run.attempts import Outcome
from testbed.wire import pcapng
from testbed.wire.capture import Frame
from testbed.wire.clock import NANO
from testbed.wire.notation import describe

EVIDENCE = "evidence"

_LOGGED_LATE_NS = NANO // 5
_LONGEST_NAME = 120
_USUAL_ID = re.compile(r"[\w.-]+(\[[A-Za-z0-9_.,=-]+\])?")


def record(outcome: Outcome, folder: Path) -> dict[str, Any]:
    """The case's entry of results.json; writes its pcapng below `folder`."""
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
        "attempts": outcome.attempts,
        "duration_s": outcome.duration_s,
        "rerun": spec.rerun,
    }
    if case is None:
        return entry
    frames = case.trace.frames
    evidence = f"{EVIDENCE}/{_file_name(spec.id)}.pcapng"
    pcapng.write(folder / evidence, frames, list(case.sides), f"{spec.id}: {outcome.verdict}")
    log = case.setup.dut.log
    return entry | {
        "values": case.values,
        "frames": [_frame(case, frame, frames[0].ns) for frame in frames],
        "evidence": evidence,
        "waits_s": case.waits_ns / NANO,
        "log": log.between(case.started_ns, case.ended_ns + _LOGGED_LATE_NS, case.addresses) if log else "",
    }


def _frame(case: Case, frame: Frame, start_ns: int) -> dict[str, Any]:
    words = describe(case.sides[frame.interface].network, frame)
    return {
        "index": frame.index,
        "interface": frame.interface,
        "time_s": (frame.ns - start_ns) / NANO,
        "direction": "to dut" if frame.outgoing else "from dut",
        "source": words.source,
        "destination": words.destination,
        "summary": words.summary,
        "fields": words.fields,
        "hex": frame.data.hex(),
        "note": frame.note,
        "deciding": frame.deciding,
    }


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
    if entry.get("frames"):
        lines += ["", "frames"]
        several = len({frame["interface"] for frame in entry["frames"]}) > 1
        lines += [_ladder_line(frame, frame["interface"] if several else "") for frame in entry["frames"]]
    if entry.get("log"):
        lines += ["", "device log", *(f"  {line}" for line in entry["log"].splitlines())]
    if entry.get("evidence"):
        lines += ["", f"evidence  {entry['evidence']}"]
    return "\n".join([*lines, f"rerun     {entry['rerun']}"])


def _ladder_line(frame: dict[str, Any], interface: str) -> str:
    arrow = "->" if frame["direction"] == "to dut" else "<-"
    mark = "!" if frame["deciding"] else " "
    note = f"   ({frame['note']})" if frame["note"] else ""
    ends = f"{frame['source']} > {frame['destination']}"
    where = f"{interface:10}" if interface else ""
    return f" {mark}#{frame['index']:<5} {frame['time_s']:9.6f} s {where}{arrow} {ends:44} {frame['summary']}{note}"
