# SPDX-License-Identifier: GPL-2.0-or-later
"""The certificate: answer, evidence, nothing from outside, nothing executed that a device supplied."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from collections import Counter
from pathlib import Path

import pytest

from reports.cases import InMemory
from reports.certificate import render, write_certificate
from reports.model import Results, ResultsError, RunVerdict, Verdict
from reports.pages import TEMPLATES
from reports.text import slug, visible
from reports.view import View
from tests.reports.page import Page
from tests.reports.samples import HOSTILE, case, every_verdict, frame, hostile, large, requirement, results


@pytest.fixture(params=["every_verdict", "hostile", "empty", "incomplete", "orphan"])
def run(request: pytest.FixtureRequest) -> Results:
    if request.param == "every_verdict":
        return every_verdict()
    if request.param == "hostile":
        return hostile()
    if request.param == "empty":
        return results([], [])
    if request.param == "orphan":
        return results([case("a", Verdict.FAIL, [], reason="lost")], [requirement(1)])
    incomplete = results([case("a", Verdict.PASS, ["MOPS-4.1-01"])], [requirement(1), requirement(2)], exit_code=None)
    incomplete.state, incomplete.verdict, incomplete.finished = "incomplete", RunVerdict.INCOMPLETE, None
    return incomplete


def test_nothing_is_loaded_from_outside(run: Results, tmp_path: Path) -> None:
    html = render(run, tmp_path)
    page = Page(html)
    for name in ("src", "href", "action", "data", "srcset", "poster", "background", "formaction"):
        for target in page.attributes(name):
            assert target.startswith(("#", "data:")), target
    assert [tag for tag, _ in page.tags if tag in ("iframe", "object", "embed", "base", "img", "use")] == []
    assert not re.search(r"@import|url\(", page.texts["style"][0])
    assert not re.search(r"\bfetch\b|XMLHttpRequest|WebSocket|sendBeacon|\bimport\b", page.texts["script"][0])


def test_only_our_style_and_script_may_act(run: Results, tmp_path: Path) -> None:
    page = Page(render(run, tmp_path))
    assert len(page.texts["script"]) == len(page.texts["style"]) == 1
    policy = next(a["content"] or "" for t, a in page.tags if t == "meta" and "http-equiv" in a)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    for rule, tag in (("script-src", "script"), ("style-src", "style")):
        digest = base64.b64encode(hashlib.sha256(page.texts[tag][0].encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    names = {name for _, attributes in page.tags for name in attributes}
    assert [name for name in names if name == "style" or name.startswith("on")] == []


def test_links_lead_somewhere_and_ids_are_unique(run: Results, tmp_path: Path) -> None:
    page = Page(render(run, tmp_path))
    ids = page.attributes("id")
    assert [name for name, number in Counter(ids).items() if number > 1] == []
    assert {link[1:] for link in page.attributes("href") if link.startswith("#")} <= set(ids)


def test_headings_and_landmarks_can_be_followed(run: Results, tmp_path: Path) -> None:
    page = Page(render(run, tmp_path))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    assert {"nav", "main", "header", "footer"} <= {tag for tag, _ in page.tags}
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")


def test_text_of_a_device_stays_text(tmp_path: Path) -> None:
    html = render(hostile(), tmp_path)
    page = Page(html)
    assert "<script>alert" not in html
    assert "onerror=alert(1)&gt;" in html
    for forbidden in "\x00\x1b\u202e\ud800":
        assert forbidden not in html
    shown = visible(HOSTILE)
    assert shown in page.texts["title"][0]
    assert any(shown in text for text in page.texts["pre"])
    html.encode("utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(scheme: str) -> None:
    """WCAG AA: 4.5 to 1 for every text colour on every ground it stands on."""
    css = (TEMPLATES / "certificate.css").read_text()
    roots = re.findall(r":root \{([^}]*)\}", css)
    palette = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", roots[0 if scheme == "light" else 1]))

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def contrast(first: str, second: str) -> float:
        bright, dark = sorted((luminance(palette[first]), luminance(palette[second])), reverse=True)
        return (bright + 0.05) / (dark + 0.05)

    tones = ["pass", "fail", "deviation", "info", "na", "inconclusive", "error", "notrun"]
    pairs = [(text, ground) for text in ("ink", "soft", "link", *tones) for ground in ("paper", "sheet")]
    pairs += [("ink", "code"), ("soft", "code"), ("soft", "decide"), ("ink", "decide"), ("mark-ink", "mark")]
    assert [(pair, contrast(*pair)) for pair in pairs if contrast(*pair) < 4.5] == []


# -- the answer ---------------------------------------------------------------------------------------------------


def _first_screen(run: Results, tmp_path: Path) -> str:
    return " ".join(Page(render(run, tmp_path)).texts["header"][0].split())


def test_the_first_screen_answers(tmp_path: Path) -> None:
    text = _first_screen(every_verdict(), tmp_path)
    assert "Not conformant" in text
    assert "Wanderer 9 breaks 3 musts of mops-draft-eromenko-ipff-mops-00 (role server)" in text
    for fact in (
        "Example Networks",
        "2.3.1",
        "--deviate",
        "no-sequence-check",
        "Roamproof 0.1.0",
        "2026-05-04 09:30:00",
    ):
        assert fact in text
    assert "12.5 % of the musts that apply passed: 1 of 8." in text
    assert "3 of them came to no verdict in this run" in text
    assert "1 of them has no case in this suite" in text


def test_a_conformant_device(tmp_path: Path) -> None:
    run = results([case("a", Verdict.PASS, ["MOPS-4.1-01", "MOPS-4.1-02"])], [requirement(1), requirement(2)])
    text = _first_screen(run, tmp_path)
    assert "Conformance certificate Conformant Wanderer 9 meets all 2 musts" in text
    assert "100 % of the musts that apply passed: 2 of 2." in text
    assert text.count("not tested") == 2  # no should and no information in this run: never 100 %


def test_a_selection_is_not_a_certificate_for_the_rest(tmp_path: Path) -> None:
    run = results([case("a", Verdict.PASS, ["MOPS-4.1-01"])], [requirement(1), requirement(2)])
    assert "Conformance report Conformant in what was tested Wanderer 9" in _first_screen(run, tmp_path)
    assert "No case of this run judged 1 requirement:" in render(run, tmp_path)


def test_a_must_that_no_case_can_judge_is_said(tmp_path: Path) -> None:
    run = results([case("a", Verdict.PASS, ["MOPS-4.1-01"])], [requirement(1), requirement(2, reason="no means")])
    text = _first_screen(run, tmp_path)
    assert "Conformant Wanderer 9" in text
    assert "1 of the 2 that apply" in text
    assert "1 of them has no case in this suite" in text


def test_one_must_short_of_all_is_never_a_hundred_percent(tmp_path: Path) -> None:
    requirements = [requirement(number) for number in range(1, 3002)]
    run = results([case("a", Verdict.PASS, [r.id for r in requirements[:-1]])], requirements)
    assert View(run, InMemory(run.cases), tmp_path).percent == "99.9"


def test_no_must_is_no_percentage(tmp_path: Path) -> None:
    text = _first_screen(results([case("a", Verdict.PASS, ["MOPS-4.1-01"])], [requirement(1, "S")]), tmp_path)
    assert "Musts: not tested." in text
    assert "%" not in text


def test_an_incomplete_run_says_so_and_keeps_what_it_knows(tmp_path: Path) -> None:
    run = every_verdict()
    run.state, run.verdict, run.finished, run.exit_code = "incomplete", RunVerdict.INCOMPLETE, None, None
    text = _first_screen(run, tmp_path)
    assert "Incomplete, and already not conformant" in text
    assert "did not finish" in text


@pytest.mark.parametrize("state", ["complete", "incomplete"])
def test_results_that_contradict_themselves_make_no_certificate(tmp_path: Path, state: str) -> None:
    run = every_verdict() if state == "complete" else results([case("a", Verdict.PASS, [])], [])
    run.state, run.verdict = state, RunVerdict.CONFORMANT  # type: ignore[assignment]
    with pytest.raises(ResultsError, match="conformant"):
        write_certificate(run, tmp_path)
    assert list(tmp_path.iterdir()) == []


# -- what is broken, and why --------------------------------------------------------------------------------------


def test_what_is_broken_stands_first_with_quote_reason_and_way_on(tmp_path: Path) -> None:
    html = render(every_verdict(), tmp_path)
    broken = " ".join(html[html.index('<section id="broken"') : html.index('<section id="deviations"')].split())
    assert "Broken: 3 requirements" in broken
    assert "The device does what number 2 asks." in broken
    assert "The server validates the TCP sequence number" in broken
    assert "packet 14 answers success" in broken
    assert "<mark>code=3</mark>" in broken
    assert "<mark>code=2</mark>" in broken
    assert '<b>14</b><i>5.000774</i><span class="lane"><strong>decides</strong>' in broken
    assert "an expected packet that was not received" in broken
    assert "python -m pytest" in broken


def test_a_must_that_rests_on_a_reading_says_why(tmp_path: Path) -> None:
    """Beside the reading, where the requirement is shown as broken and where it stands among all."""
    why = "Why a must: RFC 9293 takes nothing from outside the receive window."
    page = Page(render(every_verdict(), tmp_path))
    assert page.texts["p"].count("Reading: Anything outside the receive window is refused.") == 2
    assert page.texts["p"].count(why) == 2
    assert sum(text.startswith("Why a must:") for text in page.texts["p"]) == 2


def test_every_case_is_printed_once(tmp_path: Path) -> None:
    page = Page(render(every_verdict(), tmp_path))
    anchors = [name for name in page.attributes("id") if name.startswith("case-")]
    assert sorted(anchors) == sorted("case-" + slug(c.id) for c in every_verdict().cases)


def test_failed_cases_are_open_and_others_closed(tmp_path: Path) -> None:
    page = Page(render(every_verdict(), tmp_path))
    cases = [a for tag, a in page.tags if tag == "details" and (a.get("class") or "").startswith("case ")]
    assert {a["class"] for a in cases if "open" in a} == {"case fail"}


def test_the_capture_is_inside(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "outside.pcapng").write_bytes(b"\x0a\x0d\x0d\x0acapture")
    page = Page(render(every_verdict(), tmp_path))
    href = next(a["href"] or "" for _, a in page.tags if "download" in a)
    assert base64.b64decode(href.partition("base64,")[2]) == b"\x0a\x0d\x0d\x0acapture"


def test_captures_out_of_reach_are_named_not_embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "could not be read" in render(every_verdict(), tmp_path)
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "out"
    (folder / "evidence").mkdir(parents=True)
    (folder / "evidence" / "outside.pcapng").symlink_to(tmp_path / "secret")
    assert "leads out of the report folder" in render(every_verdict(), folder)
    (folder / "evidence" / "outside.pcapng").unlink()
    (folder / "evidence" / "outside.pcapng").write_bytes(bytes(100))
    monkeypatch.setattr("reports.evidence.EVIDENCE_BUDGET", 50)
    assert "too large to embed" in render(every_verdict(), folder)


def test_a_run_of_ordinary_size_stays_small(tmp_path: Path) -> None:
    """400 cases of 20 packets."""
    assert len(render(large(), tmp_path).encode()) < 1_000_000


def test_silence_in_the_ladder_has_a_line_of_its_own(tmp_path: Path) -> None:
    run = results([case("a", Verdict.FAIL, ["MOPS-4.1-01"], frames=[frame(1, 0.0), frame(2, 5.0)])], [requirement(1)])
    assert "5 s of silence" in render(run, tmp_path)
