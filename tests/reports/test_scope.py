# SPDX-License-Identifier: GPL-2.0-or-later
"""A run says no more than it has judged: what is partial, and where that is said."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from reports.certificate import render
from reports.console import print_summary
from reports.junit import write_junit
from reports.keeper import Keeper
from reports.model import ExitCode, RequirementResult, Results, RunVerdict, Verdict
from tests.reports.page import Page
from tests.reports.samples import case, requirement, results

PASSED = case("success", Verdict.PASS, ["MOPS-4.1-01"])
FAILED = case("success", Verdict.FAIL, ["MOPS-4.1-01"])
JUDGED, UNTOLD = requirement(1), requirement(2)
EXCUSED = requirement(2, reason="Needs control of the server's clock.")
ELSEWHERE = requirement(2, verdict=Verdict.NOT_APPLICABLE, reason="ICS: mops.unique_id = false")
ROUTER = requirement(3, roles=["NAT router"], reason="The suite has no inside.")


def _run(
    folder: Path, cases: list[Any], requirements: list[RequirementResult], left_out: tuple[str, ...] = (), **head: Any
) -> Results:
    """A run as it is kept and closed, at a device that claims to be a server and a NAT router."""
    empty = results([], requirements, **head)
    roles = ["mops server", *(["mops NAT router"] if ROUTER in requirements else [])]
    empty.dut = empty.dut.model_copy(update={"roles": roles, "left_out": list(left_out)})
    keeper = Keeper(empty, folder)
    for one in cases:
        told = {"line": one.model_dump_json().encode(), "id": one.id, "verdict": one.verdict}
        keeper.add(told | {"requirements": one.requirements})
    keeper.close(strict=False)
    return Results.load(folder / "results.json")


@pytest.mark.parametrize("others", [[], [EXCUSED], [ELSEWHERE], [requirement(4, "S"), requirement(5, "I")]])
def test_all_that_applies_was_judged_or_says_why_not(tmp_path: Path, others: list[RequirementResult]) -> None:
    made = _run(tmp_path, [PASSED], [JUDGED, *others])
    assert (made.verdict, made.exit_code) == (RunVerdict.CONFORMANT, ExitCode.CONFORMANT)
    page = (tmp_path / "certificate.html").read_text()
    assert "Partial" not in page.partition("<main>")[2].partition('id="requirements"')[0]
    for one in others:
        assert not one.reason or one.reason.replace("'", "&#39;") in page


@pytest.mark.parametrize(
    ("requirements", "head", "said"),
    [
        ([JUDGED], {"selection": ["-k ipv4"]}, "narrowed by -k ipv4"),
        ([JUDGED], {"left_out": ("rehash host",)}, "not probed in the claimed role rehash host"),
        ([JUDGED, UNTOLD], {}, "a must that applies has no verdict, for no written reason: MOPS-4.1-02"),
        ([JUDGED, ROUTER], {}, "no must was judged of the claimed role mops NAT router"),
    ],
)
def test_a_part_is_partial_everywhere(
    tmp_path: Path, requirements: list[RequirementResult], head: dict[str, Any], said: str
) -> None:
    made = _run(tmp_path, [PASSED], requirements, **head)
    assert (made.verdict, made.exit_code) == (RunVerdict.PARTIAL, ExitCode.PARTIAL)
    assert said in made.reason
    assert json.loads((tmp_path / "results.json").read_text())["verdict"] == "partial"
    assert 'name="verdict" value="partial"' in (tmp_path / "junit.xml").read_text()
    out = io.StringIO()
    print_summary(made, Console(file=out, width=200))
    assert f"{made.dut.name}: partial" in out.getvalue()
    assert said in " ".join(out.getvalue().split())
    page = Page((tmp_path / "certificate.html").read_text())
    assert "Partial: nothing broken in what was tested" in page.texts["h1"][0]
    assert "report" in page.texts["span"][0]
    assert any(said in text for text in page.texts["p"])


def test_a_broken_must_of_a_narrowed_run_is_broken_and_the_run_is_partial(tmp_path: Path) -> None:
    made = _run(tmp_path, [FAILED], [JUDGED], selection=["-k ipv4"])
    assert (made.verdict, made.exit_code) == (RunVerdict.NOT_CONFORMANT, ExitCode.NOT_CONFORMANT)
    assert "Partial: the run was narrowed by -k ipv4." in made.reason
    assert "Not conformant, in a partial run" in Page(render(made, tmp_path)).texts["h1"][0]
    assert "partial: the run was narrowed" in write_junit(made, tmp_path / "again.xml").read_text()


def test_musts_that_do_not_apply_are_no_merit(tmp_path: Path) -> None:
    _run(tmp_path, [PASSED], [JUDGED, ELSEWHERE])
    page = Page((tmp_path / "certificate.html").read_text())
    assert any(text.startswith("1 further must does not apply") for text in page.texts["p"])
    assert any(text.startswith("100 % of the musts that apply passed: 1 of 1") for text in page.texts["p"])


def test_page_one_says_who_tested_what_by_which_suite(tmp_path: Path) -> None:
    made = results([PASSED], [JUDGED], seed=4711)
    made.suite = made.suite.model_copy(update={"commit": "0123abc+"})
    made.tester = made.tester.model_copy(update={"name": "A. Tester, Example Labs"})
    made.dut = made.dut.model_copy(update={"profile_sha256": "ab" * 32})
    sheet = render(made, tmp_path).partition("</header>")[0]
    for said in ("0123abc+", "A. Tester, Example Labs", "ab" * 32, "4711", "2026-05-04 09:30:00 UTC"):
        assert said in sheet
