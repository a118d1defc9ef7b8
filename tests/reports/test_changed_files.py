# SPDX-License-Identifier: GPL-2.0-or-later
"""What something else changes of a run's files while it goes on is found at its end, and named."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from reports.files import as_json
from reports.folder import BUNDLE, CERTIFICATE
from reports.journal import JOURNAL
from reports.keeper import CHANGED, Keeper
from reports.model import Results, Verdict
from reports.seal import Seal
from reports.verdicts import ExitCode, RunVerdict
from tests.reports.samples import STARTED, case, requirement, results

CAPTURE, EVIDENCE = b"\x0a\x0d\x0d\x0a", "evidence/a.pcapng"


def going(folder: Path) -> tuple[Keeper, Seal]:
    """A run that goes on: one case that passed is in, with its capture."""
    digest = hashlib.sha256(CAPTURE).hexdigest()
    passed = case("a[ipff]", Verdict.PASS, ["MOPS-4.1-01"], evidence=EVIDENCE, evidence_sha256=digest)
    made = results([], [requirement(1)])
    head = Results(
        started=STARTED,
        requirements=[requirement(1)],
        **{name: getattr(made, name) for name in ("suite", "command", "dut", "tester")},
    )
    keeper = Keeper(head, folder)
    (folder / "evidence").mkdir()
    (folder / EVIDENCE).write_bytes(CAPTURE)
    keeper.add({**passed.model_dump(mode="json"), "line": as_json(passed)})
    return keeper, Seal(folder / BUNDLE)


def test_a_run_that_nobody_touched_is_conformant(tmp_path: Path) -> None:
    keeper, seal = going(tmp_path)
    assert keeper.close(strict=False, seal=seal) == ExitCode.CONFORMANT
    assert (tmp_path / BUNDLE).exists()
    assert "unsigned" in (tmp_path / CERTIFICATE).read_text()


def changed(path: Path, how: str) -> None:
    """Do to a file what a device might."""
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    if how == "removed":
        path.unlink()
    else:
        path.write_bytes(bytes(content) if how == "overwritten" else content + b"more\n")


@pytest.mark.parametrize("how", ["overwritten", "longer", "removed"])
def test_a_changed_capture_ends_the_run_and_is_named(how: str, tmp_path: Path) -> None:
    keeper, seal = going(tmp_path)
    changed(tmp_path / EVIDENCE, how)
    assert keeper.close(strict=False, seal=seal) == ExitCode.MACHINE
    assert keeper.results.verdict is not RunVerdict.CONFORMANT
    assert f"{EVIDENCE} {CHANGED}" in keeper.results.reason
    assert not (tmp_path / BUNDLE).exists()


@pytest.mark.parametrize("how", ["overwritten", "longer"])
def test_nothing_counts_of_a_changed_journal(how: str, tmp_path: Path) -> None:
    keeper, seal = going(tmp_path)
    changed(tmp_path / JOURNAL, how)
    with pytest.raises(OSError, match=CHANGED):
        keeper.close(strict=False, seal=seal)
    assert not (tmp_path / CERTIFICATE).exists()
    assert not (tmp_path / BUNDLE).exists()
    assert len(keeper.cases) == 0
