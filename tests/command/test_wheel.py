# SPDX-License-Identifier: GPL-2.0-or-later
"""The wheel: it certifies the reference from an empty folder, and hides nobody's modules."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.testbed.lab import ROOT

hatchling = pytest.importorskip("hatchling.build", reason="no hatchling here: it builds the wheel")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with the wheel in it, as pip lays it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-c", build], cwd=ROOT, capture_output=True, text=True, check=True)
    with zipfile.ZipFile(folder / done.stdout.split()[-1]) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def test_it_is_one_package(site: Path) -> None:
    assert sorted(path.name for path in site.iterdir() if not path.name.endswith(".dist-info")) == ["roamproof"]
    (metadata,) = site.glob("*.dist-info")
    assert "roamproof = roamproof:main" in (metadata / "entry_points.txt").read_text()


def test_it_holds_what_the_command_reads(site: Path) -> None:
    tree = site / "roamproof" / "tree"
    wanted = [ROOT / "conftest.py", ROOT / "pyproject.toml", ROOT / "requirements.lock"]
    wanted += [*ROOT.glob("tests/*/power.toml"), *ROOT.glob("profiles/*.toml"), *ROOT.glob("conformance/*/*.toml")]
    assert [str(path) for path in wanted if not (tree / path.relative_to(ROOT)).exists()] == []


def test_it_certifies_the_reference_from_an_empty_folder(site: Path, tmp_path: Path) -> None:
    start = f"import sys; sys.path.insert(0, {str(site)!r}); from roamproof import main; sys.exit(main())"
    cases = site / "roamproof" / "tree" / "conformance" / "legacy" / "host"
    words = ["certify", str(cases), "--requirement", "LEGACY-9293.3.1-01", "-n", "0"]
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTEST_XDIST_WORKER")}
    done = subprocess.run(
        [sys.executable, "-c", start, *words],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Roamproof reference host" in done.stdout, done.stdout + done.stderr
    assert (tmp_path / "out" / "certificate.html").exists()
    assert "roamproof certify " in (tmp_path / "out" / "results.json").read_text()
