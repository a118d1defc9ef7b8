# SPDX-License-Identifier: GPL-2.0-or-later
"""What the certificate holds compressed for its script, and what is plain."""

from __future__ import annotations

import re
from pathlib import Path

from reports.certificate import render
from reports.model import Verdict
from reports.text import slug
from tests.reports.page import Page
from tests.reports.samples import case, every_verdict, frame, requirement, results


def test_ladders_of_what_passed_are_packed_and_others_are_plain(tmp_path: Path) -> None:
    run = every_verdict()
    html = render(run, tmp_path)
    shown = len(re.findall(r'<(?:details|div) class="frame ', html[html.index('<section id="cases"') :]))
    plain = [one for one in run.cases if one.verdict != Verdict.PASS]
    assert shown == sum(len(one.frames) for one in plain)
    for one in run.cases:
        packed = Page(html).packed().get("case-" + slug(one.id))
        if one.verdict not in (Verdict.PASS, Verdict.INFO):
            assert packed is None
            continue
        assert packed
        ends = [packed["ends"][rung[4]] for rung in packed["frames"]]
        assert ends == [f"{frame.source} → {frame.destination}" for frame in one.frames]
        assert [rung[3] for rung in packed["frames"]] == [frame.summary for frame in one.frames]
        assert [rung[0] for rung in packed["frames"]] == [frame.index for frame in one.frames]
        with_bytes = [frame.hex for frame in one.frames if one.verdict == Verdict.INFO]
        assert [rung[9] for rung in packed["frames"] if len(rung) > 8] == with_bytes


def test_bytes_and_fields_are_plain_only_where_somebody_has_to_read_them(tmp_path: Path) -> None:
    judged = [(verdict, case(f"a[{verdict.lower()}]", verdict, ["MOPS-4.1-01"])) for verdict in Verdict]
    for verdict, one in judged:
        html = render(results([one], [requirement(1)]), tmp_path)
        assert ("MOPSMigrate\n type\t100" in html) == (verdict not in (Verdict.PASS, Verdict.INFO)), verdict
        assert (" 64 00 1c 46" in html) == (verdict not in (Verdict.PASS, Verdict.INFO)), verdict


def test_a_packed_silence_has_a_line_of_its_own(tmp_path: Path) -> None:
    run = results([case("a", Verdict.PASS, ["MOPS-4.1-01"], frames=[frame(1, 0.0), frame(2, 5.0)])], [requirement(1)])
    (packed,) = Page(render(run, tmp_path)).packed().values()
    assert [rung[7] for rung in packed["frames"]] == ["", "5 s"]


def test_captures_of_what_passed_lie_beside_the_results(tmp_path: Path) -> None:
    (tmp_path / "a.pcapng").write_bytes(b"capture")
    run = results([case("a", Verdict.PASS, ["MOPS-4.1-01"], evidence="a.pcapng")], [requirement(1)])
    html = render(run, tmp_path)
    (packed,) = Page(html).packed().values()
    assert packed["capture"].startswith("a.pcapng; Wireshark with layers/roamproof.lua")
    assert not [a for _, a in Page(html).tags if "download" in a]
