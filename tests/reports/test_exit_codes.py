# SPDX-License-Identifier: GPL-2.0-or-later
"""Every exit code is documented, by the code itself."""

import pytest

from reports.__main__ import main
from reports.legend import EXIT_CODES
from reports.verdicts import ExitCode
from tests.testbed.lab import ROOT

OF_PYTEST = {2, 3, 4}


def test_the_page_holds_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exit-codes"]) == 0
    assert capsys.readouterr().out in (ROOT / "docs/exit-codes.md").read_text()


def test_every_code_is_in_it_once() -> None:
    assert sorted(one.code for one in EXIT_CODES) == sorted({*ExitCode, *OF_PYTEST})
