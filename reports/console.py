# SPDX-License-Identifier: GPL-2.0-or-later
"""The end of a run on the console: the answer, the counts, what is broken and why, what the run cost."""

from __future__ import annotations

import textwrap
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.cases import Cases, InMemory
from reports.model import CaseResult, RequirementResult, Results
from reports.scope import narrowed
from reports.text import visible
from reports.verdicts import LOUDEST_FIRST, STRENGTHS, ExitCode, RunVerdict, Verdict

STYLES = {
    Verdict.FAIL: "bold red",
    Verdict.ERROR: "bold magenta",
    Verdict.INCONCLUSIVE: "magenta",
    Verdict.NOT_RUN: "dim",
    Verdict.DEVIATION: "yellow",
    Verdict.INFO: "cyan",
    Verdict.PASS: "green",
    Verdict.NOT_APPLICABLE: "dim",
}
MOST_LISTED = 40
MOST_OPEN_LISTED = 10


def print_summary(results: Results, console: Console, certificate: Path | str = "", cases: Cases | None = None) -> None:
    """Print the summary; `certificate` is the path to name beside what is broken. Reads well without colour.

    `cases` are those of the results where they are not in them.
    """
    cases = InMemory(results.cases) if cases is None else cases
    style = {RunVerdict.CONFORMANT: "bold green", RunVerdict.NOT_CONFORMANT: "bold red"}.get(
        results.verdict, "bold yellow"
    )
    console.print()
    console.print(Text(visible(f"{results.dut.name}: {results.verdict}"), style=style), soft_wrap=True)
    if (scope := narrowed(results)) and scope not in results.reason:
        _wrapped(console, f"A partial run: {scope}.")
    if results.reason:
        _wrapped(console, results.reason)
    console.print(_counts(results, cases))
    _listed(results, cases, console, "Broken", (Verdict.FAIL,), MOST_LISTED)
    _listed(results, cases, console, "Deviations", (Verdict.DEVIATION,), MOST_LISTED)
    ended_early = results.exit_code in (ExitCode.DUT_UNREACHABLE, ExitCode.MACHINE)  # one reason for all, said above
    disturbed = (Verdict.ERROR, Verdict.INCONCLUSIVE, *([] if ended_early else [Verdict.NOT_RUN]))
    _listed(results, cases, console, "Without a verdict", disturbed, MOST_OPEN_LISTED)
    figures = results.figures
    counted = "1 case" if figures.cases == 1 else f"{figures.cases} cases"
    _wrapped(
        console,
        f"{counted} in {figures.wall_s:.1f} s wall; mandated waits {figures.waits_sum_s:.1f} s in sum, "
        f"longest chain {figures.longest_chain_s:.1f} s; CPU {figures.cpu_s:.1f} s",
    )
    if certificate:
        console.print(Text(visible(f"Certificate: {certificate}")), soft_wrap=True)


def _counts(results: Results, cases: Cases) -> Table:
    table = Table(box=box.ASCII, pad_edge=True)
    table.add_column("strength")
    table.add_column("all", justify="right")
    # Columns without any count would only push the table past the width of a log.
    present = {Verdict.FAIL, Verdict.PASS, *(case.verdict for case in cases.index)}
    present |= {requirement.verdict for requirement in results.requirements}
    shown = [verdict for verdict in LOUDEST_FIRST if verdict in present]
    for verdict in shown:
        table.add_column(_short(verdict), justify="right", style=STYLES[verdict])
    for letter, word in STRENGTHS.items():
        verdicts = [r.verdict for r in results.requirements if r.strength == letter]
        if verdicts:
            table.add_row(word, str(len(verdicts)), *(str(verdicts.count(verdict)) for verdict in shown))
        else:
            table.add_row(word, "not tested", *("" for _ in shown))
    verdicts = [case.verdict for case in cases.index]
    table.add_section()
    table.add_row("cases", str(len(verdicts)), *(str(verdicts.count(verdict)) for verdict in shown))
    return table


def _listed(
    results: Results,
    cases: Cases,
    console: Console,
    title: str,
    verdicts: tuple[Verdict, ...],
    most: int,
) -> None:
    """The requirements with these verdicts, each with the reason of the first case that decided it."""
    found = [
        entry for entry in results.requirements if entry.verdict in verdicts and (entry.cases or title == "Broken")
    ]
    known = {entry.id for entry in results.requirements}
    unowned = [
        case
        for case in cases.index
        if case.verdict in verdicts and not any(name in known for name in case.requirements)
    ]
    if not found and not unowned:
        return
    console.print(Text(f"{title}:", style=STYLES[verdicts[0]]))
    shown = {name for entry in found[:most] for name in entry.cases}
    judged = {case.id: case for case in cases.index if case.id in shown}
    for entry in found[:most]:
        decided = [judged[name] for name in entry.cases if name in judged and judged[name].verdict == entry.verdict]
        _entry(console, entry, cases.whole(decided[0]) if decided else None, len(decided) - 1)
    for case in unowned[:most]:
        _paragraph(console, f"{case.id} {case.verdict}", cases.whole(case).reason)
    left_out = max(0, len(found) - most) + max(0, len(unowned) - most)
    if left_out:
        console.print(Text(f"  and {left_out} more: see the certificate"))


def _entry(console: Console, entry: RequirementResult, case: CaseResult | None, others: int) -> None:
    head = f"{entry.id} ({STRENGTHS[entry.strength]}) {entry.verdict}"
    if case is None:
        _paragraph(console, head, entry.reason)
        return
    _paragraph(console, head, entry.statement)
    _wrapped(console, case.reason or case.purpose, "    ")
    more = f" (and {others} more case{'s' if others > 1 else ''})" if others else ""
    console.print(Text(visible(f"    {case.id}{more}")), soft_wrap=True)


def _paragraph(console: Console, head: str, reason: str) -> None:
    console.print(Text(visible(f"  {head}")), soft_wrap=True)
    _wrapped(console, reason, "    ")


def _wrapped(console: Console, text: str, indent: str = "") -> None:
    for line in visible(text).strip().splitlines():
        console.print(Text(textwrap.fill(line, console.width, initial_indent=indent, subsequent_indent=indent)))


def _short(verdict: Verdict) -> str:
    """The verdict in a narrow column, on two lines where it has two words."""
    return str(verdict).replace(" ", "\n")
