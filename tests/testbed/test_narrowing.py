# SPDX-License-Identifier: GPL-2.0-or-later
"""By which options a run is narrowed, and which suite it was."""

import subprocess
from pathlib import Path

import pytest

from conformance import catalogue
from testbed.run.narrowing import narrowing
from testbed.run.origin import commit
from tests.testbed.lab import ROOT

WHOLE = [ROOT / "conformance/mops/server", ROOT / "conformance/rehash/host"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["conformance"], []),
        ([str(ROOT)], []),
        (["conformance/mops", "conformance/rehash"], []),
        (["conformance/mops/server", "conformance/rehash/host", "-q"], []),
        (["conformance/mops"], ["conformance/mops"]),
        (["conformance", "-k", "ipv4 and not udp"], ["-k 'ipv4 and not udp'"]),
        (["conformance", "-m", "exclusive"], ["-m exclusive"]),
        (["conformance", "--requirement", "MOPS-4.1-01"], ["--requirement MOPS-4.1-01"]),
        (["conformance", "--deselect", "a::b", "--ignore=c"], ["--deselect a::b", "--ignore c"]),
        (["conformance/mops/server/test_x.py::test_y"], ["conformance/mops/server/test_x.py::test_y"]),
    ],
)
def test_what_narrows(
    words: list[str], found: list[str], monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.chdir(ROOT)
    parsed = pytestconfig._parser.parse_known_args(words)

    class Given:
        option = parsed
        args = parsed.file_or_dir
        invocation_params = pytest.Config.InvocationParams(args=words, plugins=None, dir=ROOT)

    assert narrowing(Given, WHOLE) == found  # type: ignore[arg-type]


def test_the_commit_is_that_of_the_tree_and_says_if_it_was_changed(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        names = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        return subprocess.run(
            ["git", "-C", tmp_path, *names, *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    assert commit(tmp_path, ("suite",)) == ""
    git("init", "-q")
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite/case.py").write_text("1")
    git("add", "suite")
    git("commit", "-q", "-m", "one")
    (tmp_path / "profile.toml").touch()
    assert commit(tmp_path, ("suite",)) == git("rev-parse", "HEAD")
    (tmp_path / "suite/case.py").write_text("2")
    assert commit(tmp_path, ("suite",)) == git("rev-parse", "HEAD") + "+"
    assert commit(tmp_path / "suite", ("suite",)) == "", "it is not the top of the repository"


@pytest.mark.parametrize("protocol", catalogue.load().protocols, ids=lambda one: one.name)
def test_every_specification_has_title_and_revision(protocol: catalogue.Protocol) -> None:
    assert protocol.title
    assert protocol.revision
