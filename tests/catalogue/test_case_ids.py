# SPDX-License-Identifier: GPL-2.0-or-later
"""A case's id is its own: a number that is used twice, or not given, is refused before anything starts."""

from pathlib import Path

import pytest

from tests.testbed.runs import SHORT, made_up, run

CASE = """
    @valid
    @requirement(MUST{number})
    def test_{name}(case):
        pass
"""


@pytest.mark.parametrize(
    ("second", "line"),
    [
        (", case=1", "test_second[ipff]: the case MOPS-4.1-01.1[ipff] is "),
        ("", 'test_second[ipff]: a case has a number: @requirement("ID", case=1)'),
    ],
    ids=["used twice", "missing"],
)
def test_id_that_is_not_its_own_is_refused(tmp_path: Path, second: str, line: str) -> None:
    cases = made_up(tmp_path, CASE.format(number=", case=1", name="first"), CASE.format(number=second, name="second"))
    done = run(cases, SHORT, tmp_path)
    assert done.code == 4, done.output
    assert line in done.output
