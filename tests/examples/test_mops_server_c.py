# SPDX-License-Identifier: GPL-2.0-or-later
"""The MOPS server in C, with a TCP of its own, is built and certified: it was written from the specification alone."""

from pathlib import Path

import pytest

from tests.examples.lab import EXAMPLES, build, sample
from tests.testbed.runs import UNBROKEN, run

EXAMPLE = EXAMPLES / "mops-server-c"
CHOSEN = (
    *("MOPS-4.1-01", "MOPS-4.1-07", "MOPS-4.1-32", "MOPS-4.1-235", "MOPS-4.1-237", "MOPS-4.1-252"),
    *("LEGACY-9293.3.1-02", "LEGACY-9293.3.1-10", "LEGACY-1122.3.2.2-01"),
)


@pytest.fixture(scope="module", autouse=True)
def _found_by_name(tmp_path_factory: pytest.TempPathFactory) -> None:
    build(EXAMPLE / "main.c", "cc", tmp_path_factory.mktemp("mops-server-c"), "-Wall", "-Wextra", "-Werror")


def test_it_conforms(tmp_path: Path) -> None:
    done = run("conformance", EXAMPLE / "mops-server-c.toml", tmp_path, *sample(CHOSEN))
    assert done.code in UNBROKEN, done.output[-2000:]
    verdicts = [one["verdict"] for one in done.results["cases"]]
    assert set(verdicts) <= {"PASS", "INFO", "NOT APPLICABLE"}
    assert verdicts.count("PASS") > len(CHOSEN)
