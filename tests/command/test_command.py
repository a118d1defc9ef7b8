# SPDX-License-Identifier: GPL-2.0-or-later
"""The command `roamproof`: what it says, what it refuses in one line, and its exit codes."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from conformance import catalogue
from conformance.command import running
from conformance.command.main import main, roamproof
from profiles import ROLES, load
from reports.model import Results, Verdict
from tests.reports.samples import case, requirement, results

Captured = pytest.CaptureFixture[str]
COMMANDS = roamproof.list_commands(click.Context(roamproof))
KNOWN = "MOPS-4.1-12"


def said(capsys: Captured, *words: str | Path) -> tuple[int, str]:
    """Exit code and output of a command that has nothing to complain about."""
    code = main([*map(str, words)])
    out, err = capsys.readouterr()
    assert err == ""
    return code, out


def refused(capsys: Captured, *words: str | Path) -> str:
    """The one line with which a command is refused."""
    assert main([*map(str, words)]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    return line


def written(folder: Path, first: Verdict, **changes: object) -> Path:
    """The folder of a run that judged requirements of the catalogue."""
    cases = [case("a[ipff]", first, [KNOWN], reason="it was moved"), case("b[ipff]", Verdict.PASS, ["MOPS-4.1-02"])]
    made: Results = results(cases, [requirement(12), requirement(2)], **changes)
    made.write(folder / "results.json")
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_in_its_help(name: str, capsys: Captured) -> None:
    code, text = said(capsys, name, "--help")
    assert code == 0
    assert f"roamproof {name}" in text.partition("Example")[2]
    assert [line for line in text.splitlines() if len(line) > 120] == []


def test_help_lists_every_command(capsys: Captured) -> None:
    _, text = said(capsys, "--help")
    assert [name for name in COMMANDS if f"\n  {name} " not in text] == []


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["explain", "MOPS-4.1-999"], "no such requirement"),
        (["list", "--protocol", "http"], "allowed are"),
        (["verify", "/dev/null/none"], "does not exist"),
        (["certify", "--dut", "/"], "is a folder"),
        (["new-profile", "/tmp/none.toml", "--role", "toaster"], "has no cases"),
        (["baseline", "none"], "does not exist"),
        (["compare", "/dev/null", "/dev/null"], "is not JSON"),
    ],
)
def test_what_is_wrong_is_one_line(words: list[str], line: str, capsys: Captured) -> None:
    assert line in refused(capsys, *words)


def test_explain_says_what_the_catalogue_the_cases_and_the_deviations_say(capsys: Captured) -> None:
    code, text = said(capsys, "explain", KNOWN.lower())
    one = catalogue.load().requirement(KNOWN)
    folded = " ".join(text.split())
    assert code == 0
    for words in (one.statement, one.quote, one.reading, one.justification, "failed-count-kept"):
        assert words in folded
    assert "test_count_of_failed_is_the_number_of_its_entries: Count of a failed reply" in folded


def test_requirements_of_every_protocol_can_be_explained(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.command.catalogue._altered", lambda what: [])
    monkeypatch.setattr("conformance.command.catalogue.find_uses", lambda folder: [])
    for one in list(catalogue.load())[::7]:
        assert said(capsys, "explain", one.id)[1].startswith(one.id)


def test_list_names_requirements_and_roles(capsys: Captured) -> None:
    _, text = said(capsys, "list", "--strength", "S", "--role", "server")
    wanted = catalogue.load().select(role="server", strength="S")
    assert [line.split()[0] for line in text.splitlines()] == [one.id for one in wanted]
    _, text = said(capsys, "list", "roles")
    assert len(text.splitlines()) == len(ROLES)
    _, text = said(capsys, "list", "deviations", "--role", "firewall")
    assert text.splitlines()
    assert all(" firewall, " in line for line in text.splitlines())


@pytest.mark.parametrize(
    "role", [role for role in ROLES if role.name != "anycast server"], ids=lambda role: role.qualified
)
def test_a_new_profile_can_be_used_as_it_is(role, tmp_path: Path, capsys: Captured) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "box.toml"
    words = ["--name", 'A "box"', "--role", role.qualified, "--network", role.networks[0]]
    cards = [word for number, _ in enumerate(role.links) for word in ("--interface", f"eth{number}")]
    for reached in (["--command", "./box --fast"], cards):
        code, _ = said(capsys, "new-profile", path, "--force", *words, *reached)
        assert code == 0
        made = load(path)
        assert made.dut.name == 'A "box"'
        assert made.claimed == (role,)
    assert "is there already" in refused(capsys, "new-profile", path, *words, *cards)


def test_compare_ends_with_1_for_a_regression_alone(tmp_path: Path, capsys: Captured) -> None:
    good, bad = written(tmp_path / "good", Verdict.PASS), written(tmp_path / "bad", Verdict.FAIL)
    code, text = said(capsys, "compare", good, bad, "--html", tmp_path / "c.html")
    assert (code, (tmp_path / "c.html").exists()) == (1, True)
    assert "2 of these got worse" in text
    assert said(capsys, "compare", bad, good)[0] == 0
    assert said(capsys, "compare", bad, good, "--any")[0] == 1


def test_matrix_takes_folders_and_files(tmp_path: Path, capsys: Captured) -> None:
    paths = [written(tmp_path / "good", Verdict.PASS), written(tmp_path / "bad", Verdict.FAIL) / "results.json"]
    assert said(capsys, "matrix", *paths, "-o", tmp_path / "m.html") == (0, f"{tmp_path / 'm.html'}\n")


def test_baseline_writes_what_is_new_with_its_reason_and_changes_nothing_else(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "box.toml"
    said(
        capsys, "new-profile", path, "--name", "Box", "--role", "mops server", "--network", "ipv4", "--command", "./box"
    )
    before, run = path.read_text(), written(tmp_path / "run", Verdict.FAIL)
    code, text = said(capsys, "baseline", run, "--profile", path)
    assert (code, path.read_text()) == (1, before)
    assert f"new       {KNOWN}" in text
    assert "--reason" in refused(capsys, "baseline", run, "--profile", path, "--write")
    code, _ = said(capsys, "baseline", run, "--profile", path, "--write", "--reason", f'{KNOWN}=a "known" one')
    assert code == 0
    assert path.read_text().startswith(before)
    (entry,) = load(path).expected
    assert (entry.requirement, entry.verdict, entry.reason) == (KNOWN, "FAIL", 'a "known" one')
    assert said(capsys, "baseline", run, "--profile", path)[0] == 0
    code, text = said(capsys, "baseline", written(tmp_path / "run", Verdict.PASS), "--profile", path)
    assert code == 1
    assert f"outdated  {KNOWN}      is PASS" in text


def test_certify_hands_on_what_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[list[str]] = []
    monkeypatch.setattr(running, "_run", lambda words, typed: found.append(words))
    assert main(["certify", "--deviate", "x", "-k", "ipv4", "--role", "mops server", "-p", "no:randomly"]) == 0
    words = found[0]
    assert words[-4:] == ["-k", "ipv4", "-p", "no:randomly"]
    assert "--dut-arg=--deviate" in words
    assert "--dut-arg=x" in words
    assert "--role=mops server" in words
    assert words[words.index("--dut") + 1] == "profiles/reference.toml"
