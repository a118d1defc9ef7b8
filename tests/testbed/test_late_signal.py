# SPDX-License-Identifier: GPL-2.0-or-later
"""A signal that comes when the run is at its end already does not cost its results."""

from pathlib import Path

from tests.testbed.runs import SHORT, made_up, run

LOST = """
    from testbed.interruptions import DeviceLost

    @valid
    @requirement(MUST, case=1)
    def test_lost(case):
        raise DeviceLost("the device has left")
"""


def test_a_signal_after_the_last_case_changes_nothing(tmp_path: Path) -> None:
    done = run(made_up(tmp_path, LOST), SHORT, tmp_path, "-n", "0", "-p", "tests.testbed.late_signal")
    assert done.code == 8, done.output
    assert done.results["reason"].startswith("The device is unreachable: the device has left")
    assert "Traceback" not in done.output
