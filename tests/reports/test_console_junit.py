# SPDX-License-Identifier: GPL-2.0-or-later
"""The summary on the console and JUnit for CI servers."""

from __future__ import annotations

import io
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from reports.console import print_summary
from reports.junit import write_junit
from reports.model import Results, Verdict
from tests.reports.samples import case, every_verdict, hostile, requirement, results


def _printed(run: Results, certificate: str = "") -> str:
    output = io.StringIO()
    print_summary(run, Console(file=output, width=100), certificate)
    return output.getvalue()


def test_summary_says_what_is_broken_and_why() -> None:
    text = _printed(every_verdict(), "out/certificate.html")
    assert "Wanderer 9: not conformant" in text
    assert "MOPS-4.1-02 (must) FAIL" in text
    assert "packet 14 answers success" in text
    assert "MOPS-4.1-05 (should) DEVIATION" in text
    assert "MOPS-4.1-08 (must) INCONCLUSIVE" in text
    assert "11 cases in 31.4 s wall; mandated waits 412.5 s in sum, longest chain 18.0 s; CPU 22.7 s" in text
    assert "out/certificate.html" in text


@pytest.mark.parametrize("make", [every_verdict, hostile, lambda: results([], [])])
def test_summary_reads_in_a_log(make: object) -> None:
    """No colours, no escape sequences of a device, ASCII frames; only names that must be copied may be longer."""
    text = _printed(make())  # type: ignore[operator]
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
    assert [line for line in text.splitlines() if line.startswith(("|", "+")) and len(line) > 100] == []


def test_summary_of_a_case_without_requirement() -> None:
    text = _printed(results([case("a", Verdict.FAIL, [], reason="lost")], [requirement(1)]))
    assert f"{case('a', Verdict.FAIL, []).id} FAIL\n    lost" in text


def test_summary_cuts_long_lists() -> None:
    cases = [case(f"n{i}", Verdict.INCONCLUSIVE, [f"MOPS-4.1-{i:02}"]) for i in range(1, 31)]
    assert "and 20 more" in _printed(results(cases, [requirement(i) for i in range(1, 31)]))


def test_every_verdict_has_its_junit_element(tmp_path: Path) -> None:
    suite = ET.parse(write_junit(every_verdict(), tmp_path / "junit.xml")).getroot().find("testsuite")
    assert suite is not None
    kinds = {}
    for test in suite.iter("testcase"):
        verdict = test.find("properties/property[@name='verdict']")
        assert verdict is not None
        kinds[verdict.get("value")] = {e.tag for e in test} & {"failure", "error", "skipped"} or {"passed"}
        assert re.fullmatch(r"MOPS-[\d.]+-\d+\.\d+\[.+\]", test.get("name", ""))
        assert test.get("classname") == "conformance.mops.test_4_1_migrate"
        assert float(test.get("time", "")) >= 0
        assert test.find("properties/property[@name='requirements']") is not None
    assert kinds == {
        "PASS": {"passed"},
        "DEVIATION": {"passed"},
        "INFO": {"passed"},
        "FAIL": {"failure"},
        "ERROR": {"error"},
        "INCONCLUSIVE": {"error"},
        "NOT APPLICABLE": {"skipped"},
        "NOT RUN": {"skipped"},
    }
    counted = {name: int(suite.get(name, "")) for name in ("tests", "failures", "errors", "skipped")}
    assert counted == {"tests": 11, "failures": 3, "errors": 2, "skipped": 2}
    failure = suite.find(".//failure")
    assert failure is not None
    assert "packet 14 answers success" in failure.get("message", "")
    assert "expected: MOPSMigrate(code=3" in (failure.text or "")


def test_junit_is_valid_xml_whatever_the_device_says(tmp_path: Path) -> None:
    root = ET.parse(write_junit(hostile(), tmp_path / "deep" / "junit.xml")).getroot()
    log = root.find(".//system-err")
    assert log is not None
    assert (log.text or "").startswith("</script><script>alert(1)</script>")
    assert "\\x1b[31m" in (log.text or "")


def test_junit_names_differ(tmp_path: Path) -> None:
    root = ET.parse(write_junit(every_verdict(), tmp_path / "junit.xml")).getroot()
    names = [(test.get("classname"), test.get("name")) for test in root.iter("testcase")]
    assert len(set(names)) == len(names)
