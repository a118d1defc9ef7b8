# SPDX-License-Identifier: GPL-2.0-or-later
"""The certificate in a real browser, opened from file://, where one is on the machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reports.certificate import write_certificate
from reports.model import Results, Verdict
from reports.text import slug
from tests.reports.samples import every_verdict, hostile, large, requirement, results

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


def _anchor(run: Results, word: str) -> str:
    return "case-" + slug(next(one.id for one in run.cases if word in one.node))


def _drawn(folder: Path, run: Results, word: str) -> tuple[str, str]:
    """The part of the page that has the case with this word, opened; and what the browser complained about."""
    anchor = _anchor(run, word)
    page = f"{write_certificate(run, folder).as_uri()}#{anchor}"
    dom, complaints = _browse(folder, page, "--dump-dom", "--virtual-time-budget=5000")
    return dom[dom.index(f'id="{anchor}"') :].partition('<details class="case ')[0], complaints


def test_a_case_that_passed_is_drawn_when_it_is_opened(tmp_path: Path) -> None:
    part, complaints = _drawn(tmp_path, every_verdict(), "success[ipff]")
    assert complaints == ""
    assert len(re.findall(r'<div class="frame (?:to|from)">', part)) == 2
    assert "<b>2</b><i>0.000061</i>" in part
    assert "ICMPv5 Migrate code=2 count=1" in part
    assert "8.8.8.8.8:7 → 525.8.78.3.10:1027" in part
    assert '<button type="button">Copy</button>' in part
    assert "packed" not in part


def test_what_was_measured_opens_to_bytes_and_fields(tmp_path: Path) -> None:
    part, complaints = _drawn(tmp_path, every_verdict(), "third_party")
    assert complaints == ""
    assert len(re.findall(r'<details class="frame (?:to|from)">', part)) == 2
    assert "MOPSMigrate\n type\t100" in part
    assert "0000  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 50 00" in part


def test_it_reads_without_scripts(tmp_path: Path) -> None:
    run = every_verdict()
    page = write_certificate(run, tmp_path)
    html, count = re.subn(r"<script>.*</script>", "", page.read_text(), flags=re.DOTALL)
    assert count == 1
    page.write_text(html)
    dom, complaints = _browse(tmp_path, page.as_uri(), "--dump-dom")
    assert complaints == ""
    assert "Without scripts a case that passed shows its verdict only" in dom
    for one in run.cases:
        part = dom[dom.index(f'id="{_anchor(run, one.node)}"') :].partition('<details class="case ')[0]
        assert str(one.verdict) in part
        assert one.reason in part
        shown = len(re.findall(r'class="frame ', part))
        assert shown == (0 if one.verdict == Verdict.PASS else len(one.frames)), one.id


def test_no_text_of_a_device_acts_when_it_is_drawn(tmp_path: Path) -> None:
    attack = hostile().cases[0].model_copy(update={"verdict": Verdict.PASS})
    dom, complaints = _drawn(tmp_path, results([attack], [requirement(1)]), "hostile")
    assert complaints == ""
    assert "onerror=alert(1)&gt;" in dom
    assert "\\x1b[31m\\u202egnp" in dom
    assert "<img" not in dom


def test_no_text_of_a_device_acts(tmp_path: Path) -> None:
    dom, complaints = _browse(tmp_path, write_certificate(hostile(), tmp_path).as_uri(), "--dump-dom")
    assert complaints == ""
    assert len(re.findall(r"<script", dom)) == 1
    assert "<img" not in dom


def test_a_run_of_ordinary_size_opens(tmp_path: Path) -> None:
    dom, complaints = _browse(tmp_path, write_certificate(large(), tmp_path).as_uri(), "--dump-dom")
    assert complaints == ""
    assert "100 of 100 requirements shown" in dom
