# SPDX-License-Identifier: GPL-2.0-or-later
"""Plugin of pytest for `bench.journal`: empty tests that report as if each had been a case, and what that costs.

With MADE_UP in the environment every test reports a case of ordinary size. The process that keeps the results writes
its processor time in seconds and its greatest memory in kB to the file that FIGURES names.
"""

import json
import os
import resource
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from testbed.run.completeness import PLAN
from testbed.run.record import as_line, told

FRAMES = 20
"""As many as a case of the reference has on the average."""

FAIL = range(1, 10)
"""The cases that fail: few, because pytest looks through all reports for each test that fails."""

_DATA = bytes(range(74)).hex()


@cache
def _requirements() -> list[str]:
    from conformance import catalogue

    return [one.id for one in catalogue.load() if one.protocol == "LEGACY" or "server" in one.roles]


def made_up(number: int, node: str) -> dict[str, Any]:
    """An entry of the results that no device has brought about."""
    fails = number in FAIL
    identifier = _requirements()[number % len(_requirements())]
    return {
        "id": f"{identifier}.{number}[ipv4]",
        "node": node,
        "purpose": "A connection whose SYN carried an option of any length or content carries data.",
        "behaviour": "valid",
        "requirements": [identifier],
        "section": "9.9",
        "parameters": {"network": "ipv4", "number": str(number)},
        "verdict": "FAIL" if fails else "PASS",
        "reason": "flags: expected A, got RA" if fails else "",
        "expected": "A" if fails else "",
        "seen": "RA" if fails else "",
        "differences": [],
        "values": {},
        "frames": [_frame(number, place) for place in range(FRAMES)],
        "evidence": None,
        "evidence_sha256": "",
        "attempts": 1,
        "duration_s": 0.25,
        "waits_s": 0.0,
        "rerun": f"python -m pytest '{node}' --dut profiles/reference.toml",
        "log": f"[ 20.202629] {number} discarded: checksum wrong\n" * 40,
    }


def _frame(number: int, place: int) -> dict[str, Any]:
    seq = number * 2654435761 + place & 0xFFFFFFFF
    toward = place % 2 == 0
    ends = f"198.19.{number >> 8 & 255}.{number & 255}:{20000 + number % 10000}", "198.18.0.1:7"
    return {
        "index": number * FRAMES + place,
        "interface": "link",
        "time_s": place * 0.001234567,
        "direction": "to dut" if toward else "from dut",
        "source": ends[not toward],
        "destination": ends[toward],
        "summary": f"TCP [PA] seq {seq} ack {seq ^ 0x5A5A5A5A} win 65535 5 bytes",
        "hex": f"{_DATA}{seq:08x}",
        "note": "",
        "deciding": False,
    }


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: Any = yield
    if "MADE_UP" in os.environ and call.when == "call":
        report.case = told(made_up(int(item.name.partition("[")[2][:-1]), item.nodeid))
    return report  # type: ignore[no-any-return]  # pluggy's wrappers return what they were sent


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker: the plan of all cases, as a run of cases hands it over."""
    output = getattr(session.config, "workeroutput", None)
    if "MADE_UP" in os.environ and output is not None:
        lines = [as_line(made_up(number, item.nodeid) | {"frames": []}) for number, item in enumerate(session.items)]
        output[PLAN] = len(lines), zlib.compress(b"\n".join(lines), 1)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Write the figures, after everything else has been written."""
    if not hasattr(config, "workerinput"):
        used = resource.getrusage(resource.RUSAGE_SELF)
        figures = {"cpu_s": used.ru_utime + used.ru_stime, "memory_kb": used.ru_maxrss}
        Path(os.environ["FIGURES"]).write_text(json.dumps(figures))
