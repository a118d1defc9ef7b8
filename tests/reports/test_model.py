# SPDX-License-Identifier: GPL-2.0-or-later
"""results.json: what is read, what is refused, how verdicts add up."""

from __future__ import annotations

import copy
import itertools
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reports.model import CaseResult, Results, ResultsError, RunVerdict, Verdict, aggregate, judge, worst
from tests.reports.samples import case, every_verdict, frame, hostile, requirement, results


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    every_verdict().write(tmp_path / "document.json")
    loaded: dict[str, Any] = json.loads((tmp_path / "document.json").read_bytes())
    return loaded


def test_what_was_written_is_read(tmp_path: Path) -> None:
    before = every_verdict()
    before.write(tmp_path / "new" / "results.json")
    after = Results.load(tmp_path / "new" / "results.json")
    assert after.model_dump() == before.model_dump()


def test_keys_are_the_documented_ones(document: dict[str, Any]) -> None:
    """docs/results.md is the schema: every key of the file stands in it, and every top level key of it in the file."""
    text = (Path(__file__).parents[2] / "docs" / "results.md").read_text()
    for table in (document, document["dut"], document["tester"], document["figures"]):
        assert [key for key in table if key not in text] == []
    for kind in ("requirements", "cases"):
        assert [key for key in document[kind][0] if f"`{key}`" not in text] == []
    assert [key for key in document["cases"][2]["frames"][0] if f"`{key}`" not in text] == []


def test_requirements_of_older_files_have_no_justification(tmp_path: Path, document: dict[str, Any]) -> None:
    for entry in document["requirements"]:
        del entry["justification"]
    path = tmp_path / "older.json"
    path.write_text(json.dumps(document))
    assert {entry.justification for entry in Results.load(path).requirements} == {""}


def test_one_case_a_line(tmp_path: Path) -> None:
    every_verdict().write(tmp_path / "r.json")
    lines = (tmp_path / "r.json").read_text().splitlines()
    assert sum(line.startswith('{"id":"MOPS-') and '"node":' in line for line in lines) == len(every_verdict().cases)


def test_half_surrogates_of_a_device_do_not_stop_the_run(tmp_path: Path) -> None:
    hostile().write(tmp_path / "r.json")
    assert "\\ud800" in Results.load(tmp_path / "r.json").dut.name


def test_a_rewrite_replaces_the_file_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "results.json"
    run = every_verdict()
    run.write(path)
    before = path.read_bytes()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    run.reason = "changed"
    monkeypatch.setattr("reports.files.os.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        run.write(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_can_be_read_by_others(tmp_path: Path) -> None:
    every_verdict().write(tmp_path / "results.json")
    (tmp_path / "plain").touch()
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("results.json", "plain")}
    assert len(modes) == 1


def _without(key: str) -> Any:
    return lambda document: document.pop(key)


def _case_with(**changes: Any) -> Any:
    return lambda document: document["cases"][0].update(changes)


@pytest.mark.parametrize(
    ("spoil", "key", "allowed"),
    [
        (_case_with(verdict="PASSED"), "cases[0].verdict", "'PASS'"),
        (_case_with(behaviour="odd"), "cases[0].behaviour", "'inopportune'"),
        (_case_with(duration_s=-1), "cases[0].duration_s", "greater than or equal to 0"),
        (_case_with(attempts="1"), "cases[0].attempts", "valid integer"),
        (_case_with(evidence="/etc/passwd"), "cases[0].evidence", "inside the report folder"),
        (_case_with(evidence="a/../../b"), "cases[0].evidence", "inside the report folder"),
        (_case_with(colour="red"), "cases[0].colour", "not a key"),
        (_without("dut"), "dut", "missing"),
        (_without("schema"), "schema", "must be 1"),
        (lambda document: document.update(schema=2), "schema", "must be 1, not 2"),
        (lambda document: document.update(schema=True), "schema", "must be 1"),
        (lambda document: document.update(started="2026-05-04T09:30:00"), "started", "timezone"),
        (lambda document: document.update(verdict="fine"), "verdict", "'conformant'"),
        (lambda document: document["cases"].append(document["cases"][0]), "cases", "may occur once"),
        (lambda document: document["requirements"][0].update(strength="X"), "requirements[0].strength", "'M'"),
        (lambda document: document["cases"][0]["frames"][0].update(hex="0"), "cases[0].frames[0].hex", "pattern"),
        (
            lambda document: document["cases"][0]["frames"][0].update(fields=[["a", "b"]]),
            "cases[0].frames[0].fields[0][2]",
            "missing",
        ),
    ],
)
def test_a_wrong_file_gives_one_line_with_file_key_and_what_is_allowed(
    tmp_path: Path, document: dict[str, Any], spoil: Any, key: str, allowed: str
) -> None:
    spoiled = copy.deepcopy(document)
    spoil(spoiled)
    path = tmp_path / "spoiled.json"
    path.write_text(json.dumps(spoiled))
    with pytest.raises(ResultsError) as caught:
        Results.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: {key}: ")
    assert allowed in message
    assert "\n" not in message


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'"x"', b"[" * 100_000], ids=range(6))
def test_a_file_that_is_no_results_at_all(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(ResultsError, match=r"r\.json: (is not|must be)"):
        Results.load(tmp_path / "r.json")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="cannot be read"):
        Results.load(tmp_path / "none.json")


def test_a_finished_case_does_not_change() -> None:
    with pytest.raises(ValidationError):
        case("x", Verdict.PASS, []).verdict = Verdict.FAIL  # type: ignore[misc]


def test_a_case_from_plain_data_of_a_worker() -> None:
    made = case("x", Verdict.INFO, ["MOPS-4.1-01"])
    assert CaseResult.model_validate(made.model_dump(mode="json"), strict=False) == made


def test_numbers_that_json_lacks_are_refused() -> None:
    with pytest.raises(ValidationError):
        frame(1, float("nan"))


# -- how verdicts add up ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], "NOT RUN"),
        (["PASS", "NOT APPLICABLE"], "PASS"),
        (["NOT APPLICABLE", "NOT APPLICABLE"], "NOT APPLICABLE"),
        (["INFO", "NOT APPLICABLE"], "INFO"),
        (["PASS", "INFO"], "PASS"),
        (["PASS", "DEVIATION"], "DEVIATION"),
        (["NOT RUN", "DEVIATION"], "NOT RUN"),
        (["INCONCLUSIVE", "NOT RUN"], "INCONCLUSIVE"),
        (["INCONCLUSIVE", "ERROR"], "ERROR"),
        (["ERROR", "FAIL", "PASS"], "FAIL"),
    ],
)
def test_the_worst_verdict_counts(verdicts: list[str], expected: str) -> None:
    for order in itertools.permutations(verdicts):
        assert worst(Verdict(verdict) for verdict in order) == expected


def test_verdicts_only_worsen() -> None:
    for first, second in itertools.product(Verdict, repeat=2):
        assert worst([first, second]).rank == max(first.rank, second.rank)


def test_requirements_take_verdict_and_cases_from_the_cases() -> None:
    cases = [
        case("a", Verdict.PASS, ["MOPS-4.1-01", "MOPS-4.1-02", "MOPS-4.1-01"]),
        case("b", Verdict.FAIL, ["MOPS-4.1-02", "MOPS-9.9-99"]),
    ]
    first, second, third = aggregate([requirement(1), requirement(2), requirement(3, reason="no means")], cases)
    assert (first.verdict, first.cases) == (Verdict.PASS, [cases[0].id])
    assert (second.verdict, second.cases) == (Verdict.FAIL, [cases[0].id, cases[1].id])
    assert (third.verdict, third.cases, third.reason) == (Verdict.NOT_RUN, [], "no means")


# -- the answer of a run ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "strict", "unreachable", "answer", "code"),
    [
        ("PASS", False, "", "conformant", 0),
        ("PASS,NOT APPLICABLE,INFO", False, "", "conformant", 0),
        ("PASS,DEVIATION", False, "", "conformant", 0),
        ("PASS,DEVIATION", True, "", "not conformant", 1),
        ("PASS,FAIL,ERROR,INCONCLUSIVE", False, "", "not conformant", 1),
        ("FAIL", False, "no ready line within 5 s", "not conformant", 1),
        ("", False, "", "nothing selected", 5),
        ("NOT APPLICABLE", False, "", "nothing selected", 5),
        ("INFO,NOT APPLICABLE", True, "", "nothing selected", 5),
        ("PASS,INCONCLUSIVE", False, "", "inconclusive", 6),
        ("PASS,NOT RUN", False, "", "inconclusive", 6),
        ("PASS,INCONCLUSIVE,ERROR", False, "", "error", 7),
        ("PASS,NOT RUN,ERROR", False, "no ready line within 5 s", "error", 8),
        ("", False, "no ready line within 5 s", "error", 8),
    ],
)
def test_answer_and_exit_code(verdicts: str, strict: bool, unreachable: str, answer: str, code: int) -> None:
    cases = [case(f"n{i}", Verdict(v), ["MOPS-4.1-01"]) for i, v in enumerate(filter(None, verdicts.split(",")))]
    judgement = judge(cases, strict=strict, unreachable=unreachable)
    assert (judgement.verdict, int(judgement.exit_code)) == (answer, code)
    assert judgement.reason.endswith(".")
    assert "\n" not in judgement.reason
    if unreachable:
        assert unreachable in judgement.reason


def test_the_answer_names_what_is_broken() -> None:
    cases = [case("a", Verdict.FAIL, ["MOPS-4.1-07"]), case("b", Verdict.FAIL, [])]
    assert judge(cases).reason == f"Broken: MOPS-4.1-07, {cases[1].id}."
    many = [case(f"n{i}", Verdict.FAIL, [f"MOPS-4.1-{i:02}"]) for i in range(30)]
    assert judge(many).reason.endswith(" and 22 more.")


def test_unreachable_reason_is_one_sentence() -> None:
    assert (
        judge([], unreachable="no ready line:\nexit 1.\n").reason == "The device is unreachable: no ready line: exit 1."
    )


def test_only_a_conformant_run_exits_with_zero() -> None:
    for chosen in itertools.chain.from_iterable(itertools.combinations(Verdict, n) for n in range(len(Verdict) + 1)):
        judgement = judge([case(str(i), verdict, []) for i, verdict in enumerate(chosen)])
        assert (judgement.exit_code == 0) == (judgement.verdict == RunVerdict.CONFORMANT)
        if judgement.exit_code == 0:
            assert not {Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.NOT_RUN} & set(chosen)


def test_incomplete_results_are_written_and_read(tmp_path: Path) -> None:
    run = results([case("a", Verdict.PASS, [])], [], state="incomplete", verdict=RunVerdict.INCOMPLETE, exit_code=None)
    run.finished = None
    run.write(tmp_path / "r.json")
    assert Results.load(tmp_path / "r.json").verdict == RunVerdict.INCOMPLETE
