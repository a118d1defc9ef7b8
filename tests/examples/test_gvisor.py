# SPDX-License-Identifier: GPL-2.0-or-later
"""gVisor's netstack, which has never heard of any of the protocols, is built from Debian's packages and certified."""

from pathlib import Path

import pytest

from tests.examples.lab import ALL_CASES, EXAMPLES, build
from tests.testbed.runs import run

EXAMPLE = EXAMPLES / "gvisor-host"
PACKAGES = Path("/usr/share/gocode")


@pytest.fixture(scope="module", autouse=True)
def _found_by_name(tmp_path_factory: pytest.TempPathFactory) -> None:
    if not ALL_CASES:
        pytest.skip("it takes ten seconds to build: ALL_CASES=1")
    if not (PACKAGES / "src/gvisor.dev/gvisor").exists():
        pytest.skip("gVisor's packages are missing: install golang-gvisor-gvisor-dev")
    build(EXAMPLE / "host.go", "go", tmp_path_factory.mktemp("gvisor"))


def test_it_conforms(tmp_path: Path) -> None:
    done = run("conformance/legacy/host", EXAMPLE / "gvisor-host.toml", tmp_path)
    assert done.code == 0, done.output[-2000:]
    assert {one["verdict"] for one in done.results["cases"]} <= {"PASS", "NOT APPLICABLE"}
