# SPDX-License-Identifier: GPL-2.0-or-later
"""How to read a verdict, in words: what it says, and what to do next."""

from __future__ import annotations

from typing import NamedTuple

from reports.verdicts import ExitCode, Verdict


class Entry(NamedTuple):
    """One line of the legend."""

    verdict: Verdict
    meaning: str
    next: str


LEGEND = (
    Entry(
        Verdict.FAIL,
        "A must is broken, and a packet, or the lack of one, proves it.",
        "Compare expected and seen, follow the ladder to the deciding packet, fix the device, and run the case again "
        "with its own command.",
    ),
    Entry(
        Verdict.DEVIATION,
        "A should is broken. The device still conforms, unless the run was strict.",
        "Fix it, or write down the good reason that the device has to differ.",
    ),
    Entry(
        Verdict.PASS,
        "The device did what the statement asks, in every case that judges it.",
        "Nothing.",
    ),
    Entry(
        Verdict.INFO,
        "A value was measured where the specification leaves the choice to the device. It neither helps nor harms.",
        "Check that the value is the one you meant.",
    ),
    Entry(
        Verdict.NOT_APPLICABLE,
        "The declaration says that the device does not do this, or there is no means to probe it; the reason names the "
        "line.",
        "If the device does do it, correct that line of the profile and run again.",
    ),
    Entry(
        Verdict.INCONCLUSIVE,
        "The tester, the path or the preparation disturbed the case. It says nothing about the device.",
        "Read the reason, give the tester a quieter machine or fewer parallel jobs, and run the case again.",
    ),
    Entry(
        Verdict.ERROR,
        "The suite itself failed. It says nothing about the device.",
        "Report it to the makers of the suite, with this file.",
    ),
    Entry(
        Verdict.NOT_RUN,
        "No case judged it: it was not selected, the run ended before, or the catalogue has no case, with a reason.",
        "Run without a selection; where a reason is given, show by other means that the device complies.",
    ),
)

EXIT_CODES = (
    (ExitCode.CONFORMANT, "conformant: everything selected ran, no must is broken"),
    (ExitCode.NOT_CONFORMANT, "not conformant: a must is broken (with --strict-verdict: or a should)"),
    (2, "interrupted; results so far are kept and marked incomplete"),
    (3, "internal error of the test runner"),
    (4, "wrong command line or profile"),
    (ExitCode.NOTHING_SELECTED, "nothing selected, or nothing that judges the device"),
    (ExitCode.INCONCLUSIVE, "inconclusive: a case came to no verdict on the device"),
    (ExitCode.ERROR, "error: the suite itself failed"),
    (ExitCode.DUT_UNREACHABLE, "error: the device is unreachable"),
)
