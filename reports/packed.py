# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases that the page holds compressed: its script unpacks and draws one when it is opened.

The form is shared with `templates/ladder.js`: JSON as UTF-8, deflated (RFC 1950), in base64 (RFC 4648).
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from reports.entries import Frame
from reports.text import layers, span
from reports.verdicts import Verdict

if TYPE_CHECKING:
    from reports.case_view import CaseView, Step

PACKED = (Verdict.PASS, Verdict.INFO)
"""Verdicts of cases whose details nobody has to read: of a PASS the ladder is packed, of INFO what its frames hold."""

_LEVEL = 6


def pack(views: Iterable[CaseView]) -> Markup:
    """Those of the cases that are packed, by anchor, as text for one attribute of the page; empty for none."""
    content = {view.anchor: _case(view) for view in views if view.verdict in PACKED}
    if not content:
        return Markup("")
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    deflated = zlib.compress(text.encode("utf-8", "backslashreplace"), _LEVEL)
    return Markup(base64.b64encode(deflated).decode())


def _case(view: CaseView) -> dict[str, Any]:
    case, has_details = view.case, view.verdict != Verdict.PASS
    several = view.several_links
    ends: dict[str, int] = {}
    frames = [_rung(step, several, ends) + (_details(step.frame) if has_details else []) for step in view.steps]
    ladder = {"ends": list(ends), "frames": frames}
    if has_details:
        return ladder | {"log": case.log}
    return {
        "id": case.id,
        "node": case.node,
        "reason": case.reason,
        "values": list(case.values.items()),
        "judges": [requirement.id for requirement in view.requirements],
        "capture": view.evidence.note if view.evidence else "",
        "time": view.time,
        "rerun": case.rerun,
        **ladder,
    }


def _rung(step: Step, several: bool, ends: dict[str, int]) -> list[Any]:
    """A rung; the two ends of a packet stand in `ends` once."""
    frame = step.frame
    here = f"{frame.source} → {frame.destination}"
    if several:
        here = f"{frame.interface}: {here}"
    return [
        frame.index,
        round(frame.time_s, 6),
        int(frame.direction == "to dut"),
        frame.summary,
        ends.setdefault(here, len(ends)),
        frame.note,
        int(frame.deciding),
        span(step.pause_s) if step.pause_s else "",
    ]


def _details(frame: Frame) -> list[str]:
    return [layers(frame.fields), frame.hex]
