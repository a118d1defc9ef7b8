# SPDX-License-Identifier: GPL-2.0-or-later
"""The certificate in a real browser, opened from file://, where one is on the machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reports.certificate import write_certificate
from reports.text import slug
from tests.reports.samples import every_verdict, hostile, large

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")


def _browse(folder: Path, page: str, *arguments: str) -> tuple[str, str]:
    """What the browser printed, and what it complained about."""
    command = [
        str(BROWSER),
        *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
        *("--disable-component-update", "--disable-sync", "--hide-scrollbars", "--enable-logging=stderr"),
        *("--window-size=1200,1400", f"--user-data-dir={folder / 'browser'}"),
        *arguments,
        page,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, "\n".join(complaints)


def _rows_shown(dom: str) -> list[str]:
    rows = re.findall(r'<tr data-requirement="([^"]*)"([^>]*)>', dom)
    return [name for name, attributes in rows if "hidden" not in attributes]


@pytest.mark.parametrize("scheme", ["0", "1"], ids=["dark", "light"])
def test_it_renders_from_a_file(tmp_path: Path, scheme: str) -> None:
    page = write_certificate(every_verdict(), tmp_path)
    picture = tmp_path / "page.png"
    _, complaints = _browse(
        tmp_path, page.as_uri(), f"--screenshot={picture}", f"--blink-settings=preferredColorScheme={scheme}"
    )
    assert complaints == ""
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 50_000  # an empty page compresses to a tenth


def test_the_filter_lives_in_the_address(tmp_path: Path) -> None:
    page = write_certificate(every_verdict(), tmp_path).as_uri()
    dom, complaints = _browse(tmp_path, page, "--dump-dom")
    assert complaints == ""
    assert len(_rows_shown(dom)) == 11
    assert '<button type="button">Copy</button>' in dom
    dom, _ = _browse(tmp_path, page + "#?verdict=FAIL,DEVIATION&strength=M&text=reset", "--dump-dom")
    assert _rows_shown(dom) == ["MOPS-4.1-04"]
    assert "1 of 11 requirements shown" in dom


def test_a_link_opens_its_case(tmp_path: Path) -> None:
    path = write_certificate(every_verdict(), tmp_path)
    anchor = "case-" + slug(next(one.id for one in every_verdict().cases if "retry_interval" in one.node))
    dom, _ = _browse(tmp_path, f"{path.as_uri()}#{anchor}", "--dump-dom")
    assert re.search(rf'id="{anchor}" open', dom)


def test_no_text_of_a_device_acts(tmp_path: Path) -> None:
    dom, complaints = _browse(tmp_path, write_certificate(hostile(), tmp_path).as_uri(), "--dump-dom")
    assert complaints == ""
    assert len(re.findall(r"<script", dom)) == 1
    assert "<img" not in dom


def test_a_run_of_ordinary_size_opens(tmp_path: Path) -> None:
    dom, complaints = _browse(tmp_path, write_certificate(large(), tmp_path).as_uri(), "--dump-dom")
    assert complaints == ""
    assert "100 of 100 requirements shown" in dom
