# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts, and the exceptions by which a case reaches one before its end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from testbed.wire.capture import Frame
from testbed.wire.clock import Deadline


class Verdict(StrEnum):
    """What a case says of the DUT; `docs/verdicts.md` tells what to do about each."""

    PASS = "PASS"
    FAIL = "FAIL"
    DEVIATION = "DEVIATION"
    INFO = "INFO"
    NOT_APPLICABLE = "NOT APPLICABLE"
    INCONCLUSIVE = "INCONCLUSIVE"
    ERROR = "ERROR"
    NOT_RUN = "NOT RUN"


@dataclass(frozen=True)
class Requirement:
    """What a case judges, as far as the testbed has to know: id, strength (M, S, I) and the sentence it comes from."""

    id: str
    strength: str
    section: str
    quote: str


@dataclass(frozen=True)
class Difference:
    """A field in which the seen message is not the expected one."""

    field: str
    expected: str
    seen: str


@dataclass
class Finding:
    """The step that decided: both sides in one notation, the fields that differ, the deciding frames."""

    reason: str
    expected: str = ""
    seen: str = ""
    differences: list[Difference] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)


class Witness(Enum):
    """Who tells of what no frame shows and no time limit has to do with."""

    APPLICATION = "the device's application"


Grounds = Deadline | Frame | Witness
"""What a finding rests on: the time that was allowed and has passed, a frame that came, or who tells of it."""


class Broken(AssertionError):
    """The DUT did not do what the requirement says, and `grounds` prove it, with further frames.

    `deadline` is set where the finding rests on one that passed: then the DUT's share of the processor up to it has to
    be looked at before the DUT is blamed. `breaks` is the requirement that is broken where it is not that of the case.
    """

    def __init__(self, finding: Finding, grounds: Grounds, *frames: Frame, breaks: Requirement | None = None) -> None:
        super().__init__(finding.reason)
        self.finding = finding
        self.breaks = breaks
        self.deadline = grounds if isinstance(grounds, Deadline) else None
        finding.frames += [grounds, *frames] if isinstance(grounds, Frame) else frames


def require(holds: object, what: str, expected: object, seen: object, grounds: Grounds, *frames: Frame) -> None:
    """Broken on these grounds, with both sides in one notation, unless the condition holds."""
    if not holds:
        difference = Difference(what, str(expected), str(seen))
        reason = f"{what}: expected {expected}, got {seen}"
        raise Broken(Finding(reason, str(expected), str(seen), [difference]), grounds, *frames)


def require_none(what: str, frames: Sequence[Frame]) -> None:
    """Broken if there are any such frames."""
    for first in frames[:1]:
        require(False, what, "none", len(frames), first, *frames[1:])
