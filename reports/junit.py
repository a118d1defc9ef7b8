# SPDX-License-Identifier: GPL-2.0-or-later
"""JUnit XML for CI servers, which know only passed, failure, error and skipped.

FAIL is a failure. ERROR and INCONCLUSIVE are errors, because they say nothing about the device and must not look green.
NOT APPLICABLE and NOT RUN are skipped. PASS, DEVIATION and INFO have passed. The verdict itself is a property.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from reports.cases import Cases, InMemory
from reports.files import replace_file
from reports.model import CaseResult, Results
from reports.scope import narrowed
from reports.text import visible
from reports.verdicts import Verdict

ELEMENTS = {
    Verdict.FAIL: "failure",
    Verdict.ERROR: "error",
    Verdict.INCONCLUSIVE: "error",
    Verdict.NOT_APPLICABLE: "skipped",
    Verdict.NOT_RUN: "skipped",
}
# What XML 1.0 cannot hold in any notation. Control characters are spelled out before, so that they stay readable.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(results: Results, path: Path | str, cases: Cases | None = None) -> Path:
    """Write the results as JUnit XML and return where they are; `cases` are theirs where they are not in them."""
    path = Path(path)
    cases = InMemory(results.cases) if cases is None else cases
    replace_file(path, _parts(results, cases))
    return path


def _parts(results: Results, cases: Cases) -> Iterator[bytes]:
    """The document in parts, one for each case: not all of them are held at once."""
    elements = Counter(ELEMENTS.get(case.verdict) for case in cases.index)
    suite = ET.Element(
        "testsuite",
        name=_clean(f"{results.suite.name} {results.suite.version}"),
        tests=str(len(cases)),
        failures=str(elements["failure"]),
        errors=str(elements["error"]),
        skipped=str(elements["skipped"]),
        time=f"{results.figures.wall_s:.3f}",
        timestamp=results.started.isoformat(timespec="seconds"),
    )
    properties = {
        "dut": f"{results.dut.name} {results.dut.version}",
        "verdict": str(results.verdict),
        "reason": results.reason,
        "state": results.state,
        "scope": f"partial: {scope}" if (scope := narrowed(results)) else "everything that the profile claims",
        "suite": f"{results.suite.version} {results.suite.commit}".rstrip(),
        "seed": "" if results.seed is None else str(results.seed),
        "tester": results.tester.name,
    }
    _properties(suite, properties)
    head, end, _ = _written(suite, 1).rpartition("  </testsuite>")
    yield f"<?xml version='1.0' encoding='utf-8'?>\n<testsuites>\n{head}".encode()
    for case in cases:
        yield _written(_case(case), 2).encode()
    yield f"{end}\n</testsuites>\n".encode()


def _written(element: ET.Element, level: int) -> str:
    """The element on lines of its own."""
    ET.indent(element, level=level)
    return "  " * level + ET.tostring(element, encoding="unicode") + "\n"


def _case(case: CaseResult) -> ET.Element:
    classname = case.node.partition("::")[0].removesuffix(".py").replace("/", ".") or case.section
    element = ET.Element(
        "testcase",
        name=_clean(case.id),
        classname=_clean(classname),
        time=f"{case.duration_s:.3f}",
    )
    measured = {f"measured: {name}": value for name, value in case.values.items()}
    _properties(element, {"verdict": case.verdict, "requirements": " ".join(case.requirements), **measured})
    if kind := ELEMENTS.get(case.verdict):
        first = case.reason.strip().partition("\n")[0]
        outcome = ET.SubElement(element, kind, message=_clean(f"{case.verdict}: {first}" if first else case.verdict))
        if kind != "skipped":
            outcome.set("type", case.verdict)
        outcome.text = _clean(_text(case))
    if case.log:
        ET.SubElement(element, "system-err").text = _clean(case.log)
    return element


def _text(case: CaseResult) -> str:
    lines = [case.purpose, case.reason]
    if case.expected or case.seen:
        lines += [f"expected: {case.expected or 'nothing'}", f"seen:     {case.seen or 'nothing'}"]
    if case.evidence:
        lines.append(f"capture: {case.evidence}")
    if case.rerun:
        lines.append(f"run again: {case.rerun}")
    return "\n".join(line for line in lines if line)


def _properties(parent: ET.Element, values: dict[str, str]) -> None:
    element = ET.SubElement(parent, "properties")
    for name, value in values.items():
        ET.SubElement(element, "property", name=_clean(name), value=_clean(value))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("", visible(text))
