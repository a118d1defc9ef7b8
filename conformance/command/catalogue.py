# SPDX-License-Identifier: GPL-2.0-or-later
"""`roamproof list` and `roamproof explain`: the catalogue, and what proves that its cases can fail."""

import ast
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from conformance import catalogue
from conformance.catalogue.cases import find_uses
from conformance.command.tree import TREE, environment
from profiles import ROLES
from reports.verdicts import STRENGTHS

_WIDTH = 100
_KINDS = ("requirements", "roles", "profiles", "deviations", "variants")


class Alteration(NamedTuple):
    """A way in which the reference can be wrong, or right in another way."""

    name: str
    protocol: str
    role: str
    section: str
    does: str


@click.command("list")
@click.argument("what", type=click.Choice(_KINDS), default="requirements")
@click.option("--protocol", metavar="NAME", help="of this protocol alone")
@click.option("--role", metavar="ROLE", help='of this role alone, such as "mobile node"')
@click.option("--strength", type=click.Choice([*STRENGTHS]), help="M must, S should, I information")
def list_command(what: str, protocol: str | None, role: str | None, strength: str | None) -> None:
    """List requirements, roles, profiles, deviations or variants of the reference, a line each.

    \b
    Examples:
      roamproof list
      roamproof list requirements --protocol mops --strength M
      roamproof list roles
      roamproof list deviations --role host
    """
    for line in _lines(what, protocol, role, strength):
        click.echo(line)


def _lines(what: str, protocol: str | None, role: str | None, strength: str | None) -> Iterator[str]:
    if what == "requirements":
        wanted = protocol.upper() if protocol else None
        known = catalogue.load()
        if wanted and wanted not in {one.name for one in known.protocols}:
            allowed = ", ".join(one.name.lower() for one in known.protocols)
            raise click.UsageError(f"--protocol {protocol}: is none; allowed are {allowed}")
        for one in known.select(protocol=wanted, role=role, strength=strength):
            yield f"{one.id:16} {one.strength} {', '.join(one.roles):24} {one.statement}"
    elif what == "roles":
        wanted = protocol.lower() if protocol else None
        yield from (
            f"{one.qualified:24} {', '.join(one.networks)}; {len(one.links)} link{'s' if one.links[1:] else ''}"
            for one in ROLES
            if wanted in (None, one.protocol) and role in (None, one.name)
        )
    elif what == "profiles":
        yield from (path.stem for path in sorted((TREE / "profiles").glob("*.toml")))
    else:
        for entry in _altered(what):
            if protocol in (None, entry.protocol) and role in (None, entry.role):
                yield f"{entry.name:36} {entry.protocol} {entry.role}, {entry.section}: {entry.does}"


def _altered(what: str) -> list[Alteration]:
    """What the reference lists of its deviations or variants."""
    words = [sys.executable, "-m", "reference", f"--list-{what}"]
    done = subprocess.run(words, env=environment([]), capture_output=True, text=True, check=True)
    roles = "|".join(re.escape(role.qualified) for role in ROLES)
    pattern = re.compile(rf"(\S+) +({roles}) +(\S+) +(.*)")
    found = [match for line in done.stdout.splitlines() if (match := pattern.fullmatch(line))]
    return [
        Alteration(match[1], match[2].partition(" ")[0], match[2].partition(" ")[2], match[3], match[4])
        for match in found
    ]


@click.command("explain")
@click.argument("requirement", metavar="REQUIREMENT")
def explain_command(requirement: str) -> None:
    """Say what a requirement asks and why, which cases judge it, and which deviations prove that they can fail.

    \b
    Example:
      roamproof explain MOPS-4.1-12
    """
    known = catalogue.load()
    one = next((one for one in known if one.id.upper() == requirement.upper()), None)
    if one is None:
        near = _near(requirement.upper(), known)
        raise click.UsageError(f"{requirement}: no such requirement; `roamproof list` names them{near}")
    section = known.protocol(one.protocol).section(one.section)
    click.echo(f"{one.id}  {STRENGTHS[one.strength]}, for {', '.join(one.roles)}")
    _paragraph("Asks", one.statement)
    for quote in one.quotes:
        _paragraph("Says", f"“{quote}”")
    _paragraph("In", f"{one.specification}, section {section.id}, {section.title}")
    _paragraph("Read as", one.reading)
    _paragraph("Because", one.justification)
    _paragraph("Applies if", ", ".join(f"ics.{key}" for key in one.ics))
    _paragraph("Depends on", ", ".join(f"ixit.{key}" for key in one.ixit))
    _paragraph("No case", one.no_case)
    cases = [use for use in find_uses(catalogue.model.FOLDER / one.protocol.lower()) if use.requirement == one.id]
    for heading, lines in (
        ("Cases", [f"{use.case.partition('::')[2]}: {_purpose(use.path, use.case)}" for use in cases]),
        ("Proved by", [f"{found.name}: {found.does}" for found in _deviations(one)]),
    ):
        for number, line in enumerate(lines):
            _paragraph(heading if not number else "", line)
    if cases:
        click.echo(f"\nJudge a device by it: roamproof certify --dut PROFILE --requirement {one.id}")


def _near(name: str, known: catalogue.Catalogue) -> str:
    """Ids that begin alike, where there are any."""
    stem = name.rpartition("-")[0]
    near = [one.id for one in known if stem and one.id.upper().startswith(f"{stem}-")][:3]
    return f", such as {', '.join(near)}" if near else ""


def _paragraph(heading: str, text: str) -> None:
    if text:
        indent = " " * 12
        click.echo(textwrap.fill(text, _WIDTH, initial_indent=f"{heading:12}", subsequent_indent=indent))


def _purpose(path: Path, case: str) -> str:
    """The test purpose: the docstring of the case."""
    name = case.rpartition("::")[2]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return " ".join((ast.get_docstring(node) or "").split())
    return ""


def _deviations(requirement: catalogue.Requirement) -> list[Alteration]:
    """The deviations that this requirement must catch, with what each does."""
    path = TREE / "tests" / requirement.protocol.lower() / "power.toml"
    if not path.exists():
        return []
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    names = [
        name
        for name, entry in table.items()
        if isinstance(entry, dict) and requirement.id in entry.get("caught_by", ())
    ]
    return [one for one in _altered("deviations") if one.name in names] if names else []
