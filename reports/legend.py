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


class Exit(NamedTuple):
    """An exit code of a run: what it means, the line that says it, and what to do."""

    code: int
    meaning: str
    line: str
    advice: str


EXIT_CODES = (
    Exit(
        ExitCode.CONFORMANT,
        "conformant: every must that applies was judged or says why it has no case, and none is broken",
        "No must is broken in 20 cases.",
        "Nothing; broken shoulds are listed.",
    ),
    Exit(
        ExitCode.NOT_CONFORMANT,
        "not conformant: a must is broken (with --strict-verdict: or a should)",
        "Broken: (ids of requirements).",
        "Read what was expected and what was seen; fix the device.",
    ),
    Exit(
        2,
        "interrupted; results so far are kept and marked incomplete",
        "the run ended early: interrupted",
        "Run it again.",
    ),
    Exit(3, "internal error of the test runner", "INTERNALERROR>", "Report it, with what was printed."),
    Exit(
        4,
        "wrong command line, profile or report folder",
        "--report out: holds notes, which no run has written; allowed is ...",
        "The line says where it is wrong and what is allowed.",
    ),
    Exit(
        ExitCode.NOTHING_SELECTED,
        "nothing selected, or nothing that judges the device",
        "No case was selected.",
        "Select cases of a role that the profile claims.",
    ),
    Exit(
        ExitCode.INCONCLUSIVE,
        "inconclusive: a case came to no verdict on the device",
        "2 cases came to no verdict on the device: (ids of requirements).",
        "Read each reason; give the tester a quieter machine.",
    ),
    Exit(
        ExitCode.ERROR,
        "error: the suite itself failed",
        "The suite itself failed in 1 case: (ids of requirements).",
        "Report it, with the certificate.",
    ),
    Exit(
        ExitCode.DUT_UNREACHABLE,
        "error: the device is unreachable, or was lost on the way",
        "The device is unreachable: the device ended with exit code 3 ...",
        "Its last log lines follow: see why it ended, or what the profile says of where it is.",
    ),
    Exit(
        ExitCode.AS_EXPECTED,
        "not conformant, as expected: what is broken is what the profile expects to be",
        "Broken: (ids of requirements). All of it is expected.",
        "Nothing, until the device is fixed.",
    ),
    Exit(
        ExitCode.MACHINE,
        "error: the machine of the tester does not give what the run needs; no word on the device",
        "The tester's machine ended the run: the report: No space left on device; make room there, ...",
        "The line ends with what to do.",
    ),
    Exit(
        ExitCode.PARTIAL,
        "partial: no must is broken in what was judged, but not everything that applies was",
        "No must is broken in 20 cases. Partial: the run was narrowed by -k ipv4.",
        "Run it without a selection, for all roles; musts without a verdict are named.",
    ),
)


def exit_codes_table() -> str:
    """All of them as a table of docs/exit-codes.md."""
    rows = [f"| {int(one.code)} | {one.meaning} | `{one.line}` | {one.advice} |" for one in EXIT_CODES]
    return "\n".join(
        ["| code | meaning | the line that says so | what to do |", "| --- | --- | --- | --- |", *rows, ""]
    )
