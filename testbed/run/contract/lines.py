# SPDX-License-Identifier: GPL-2.0-or-later
"""What a check of the contract has found: a line each, and how a trial comes to one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from testbed.case.verdict import Broken
from testbed.interruptions import Inconclusive, NotApplicable


@dataclass(frozen=True)
class Line:
    """What was tried, what came of it, and where it is wrong what to look at. A verb may be `absent`."""

    result: Literal["ok", "wrong", "absent"]
    what: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.result:<6}  {self.what}" + (f"\n{self.why}".replace("\n", "\n        ") if self.why else "")


class Wrong(Exception):
    """What a trial has found wrong, in plain words."""


def tried(what: str, trial: Callable[[], object], advice: str = "") -> Line:
    """The line of a trial, with advice where it is wrong. DeviceLost goes through."""
    try:
        trial()
    except NotApplicable as reason:
        return Line("absent", what, str(reason))
    except (Wrong, Broken, Inconclusive) as trouble:
        why = str(trouble)
        if isinstance(trouble, Broken):
            why = f"{why}: expected {trouble.finding.expected}, seen {trouble.finding.seen}"
        return Line("wrong", what, f"{why}. {advice}".strip())
    return Line("ok", what)
