# SPDX-License-Identifier: GPL-2.0-or-later
"""The matrix in a real browser: filters, counters, and the view that stands in the address."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.matrix import read_columns, write_matrix
from reports.model import Verdict
from tests.reports.test_browser import BROWSER, _browse
from tests.reports.test_matrix import device, written

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")


def test_the_address_says_what_is_shown_and_the_counters_follow(tmp_path: Path) -> None:
    runs = [device("A", Verdict.PASS, 2, 3), device("B", Verdict.FAIL, 2)]
    paths = [written(tmp_path / made.dut.name, made) for made in runs]
    page = write_matrix(read_columns(paths, tmp_path / "m.html"), tmp_path / "m.html").as_uri()
    for view, shown, passed in (
        ("", "3 of 3", ("3", "1")),
        ("#differs=on", "1 of 3", ("1", "0")),
        ("#text=4.1-03", "1 of 3", ("1", "0")),
    ):
        dom, complaints = _browse(tmp_path, page + view, "--dump-dom")
        assert complaints == ""
        assert f"{shown} requirements</output>" in dom
        counts = [part.partition("<b>")[2].partition("</b>")[0] for part in dom.split('data-verdict="pass"')[1:]]
        assert tuple(counts) == passed
