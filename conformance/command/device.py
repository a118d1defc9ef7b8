# SPDX-License-Identifier: GPL-2.0-or-later
"""`roamproof new-profile` and `roamproof baseline`: the file that describes a device."""

import sys
from pathlib import Path

import click

from conformance.command.tree import from_here
from conformance.command.tree import profile as profile_path
from profiles import ROLES, ProfileError, load
from profiles.baseline import Broken, append, outdated
from profiles.draft import NETWORKS, Answers, text
from reports.matrix import read_columns
from reports.verdicts import Verdict

_TOML = click.Path(dir_okay=False, path_type=Path)


@click.command("new-profile")
@click.argument("file", type=_TOML)
@click.option("--name", help="what the certificate calls the device")
@click.option("--vendor", help="who makes it")
@click.option("--version", help="its version")
@click.option("--role", "roles", multiple=True, metavar="ROLE", help='a role that it claims, such as "mops server"')
@click.option("--network", "networks", multiple=True, type=click.Choice(NETWORKS), help="how messages travel")
@click.option("--interface", "interfaces", multiple=True, metavar="NAME", help="the tester's card; two for a router")
@click.option("--command", metavar="TEXT", help="starts the device in a namespace, instead of an interface")
@click.option("--force", is_flag=True, help="write over a file that is there")
def new_profile_command(
    file: Path,
    name: str | None,
    vendor: str | None,
    version: str | None,
    roles: tuple[str, ...],
    networks: tuple[str, ...],
    interfaces: tuple[str, ...],
    command: str | None,
    force: bool,
) -> None:
    """Write the profile of a device, every value explained.

    What is not given is asked for on a terminal. Every key that the roles need is there, with its meaning and default;
    change the addresses to those of your device.

    \b
    Examples:
      roamproof new-profile box.toml
      roamproof new-profile box.toml --name Box --role "mops server" --network ipv4 --interface eth1
      roamproof new-profile mine.toml --name Mine --role "rehash host" --network ipv4 --command "./mine --test"
    """
    if file.exists() and not force:
        raise click.UsageError(f"{file}: is there already; allowed is a new name, or --force")
    known = [role.qualified for role in ROLES]
    if not roles:
        roles = tuple(_asked("Roles, comma between them", "--role", ", ".join(known)).replace(", ", ",").split(","))
    if unknown := [one for one in roles if one not in known]:
        raise click.UsageError(f"--role {unknown[0]!r}: has no cases; allowed are {', '.join(known)}")
    answers = Answers(
        name=name or _asked("Name of the device", "--name"),
        vendor=vendor or "",
        version=version or "",
        roles=[role for role in ROLES if role.qualified in roles],
        networks=list(networks) or [_asked("Network", "--network", " or ".join(NETWORKS))],
        interfaces=list(interfaces),
        command=command or ("" if interfaces else _asked("Command that starts it", "--command or --interface")),
    )
    if wrong := answers.wrong():
        raise click.UsageError(wrong)
    file.write_text(text(answers), encoding="utf-8")
    try:
        load(file)
    except ProfileError as error:
        click.echo(f"{file}: written; something is missing that only you know: {error}")
    else:
        click.echo(f"{file}: written; look at what is marked with CHANGE, then: roamproof certify --dut {file}")


def _asked(question: str, option: str, allowed: str = "") -> str:
    """The answer of a person; an error that names the option where there is no terminal."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"{option} is missing, and there is no terminal to ask at")
    hint = f" ({allowed})" if allowed else ""
    return str(click.prompt(f"{question}{hint}"))


@click.command("baseline")
@click.argument("results", type=click.Path(exists=True, path_type=Path))
@click.option("--profile", "name", metavar="FILE", help="the profile; that of the results unless given")
@click.option("--write", is_flag=True, help="add what is new to the profile, with a reason each")
@click.option("--reason", "reasons", multiple=True, metavar="ID=TEXT", help="why it is known; asked for on a terminal")
def baseline_command(results: Path, name: str | None, write: bool, reasons: tuple[str, ...]) -> int:
    """Show what a profile expects to be broken beside what is, and write what is new.

    An expected FAIL stays a FAIL: the certificate lists it and its reason, and the exit code is 9 instead of 1 while
    nothing else is broken. What the profile says already is never changed.
    Exit code 1 where the results are not as the profile expects.

    \b
    Examples:
      roamproof baseline out
      roamproof baseline out --write
      roamproof baseline out --write --reason "MOPS-4.1-12=fixed in 2.1, see bug 77"
    """
    run = read_columns([results], results)[0]
    path = profile_path(name or run.results.dut.profile)
    profile = load(path)
    given = dict(_split(one) for one in reasons)
    verdicts = {one.id: one.verdict for one in run.results.requirements}
    expected = {one.requirement: one for one in profile.expected}
    broken = [
        Broken(one.id, str(one.verdict), run.reasons[one.id])
        for one in run.results.requirements
        if one.verdict in (Verdict.FAIL, Verdict.DEVIATION)
    ]
    for one in broken:
        as_said = one.requirement in expected and expected[one.requirement].verdict == one.verdict
        click.echo(f"{'expected' if as_said else 'new':9} {one.requirement:16} {one.verdict:9} {one.seen}")
    gone = outdated(profile.expected, {key: str(value) for key, value in verdicts.items()})
    for identifier, verdict in gone:
        click.echo(f"{'outdated':9} {identifier:16} is {verdict}: its [[expected]] can be removed from {path}")
    new = [one for one in broken if one.requirement not in expected]
    if write and new:
        append(path, [(one, given.get(one.requirement) or _reason(one)) for one in new])
        load(path)
        click.echo(f"{from_here(path)}: {len(new)} added")
        return int(bool(gone))
    return int(bool(new or gone))


def _split(words: str) -> tuple[str, str]:
    identifier, is_there, reason = words.partition("=")
    if not is_there or not reason.strip():
        raise click.UsageError(f"--reason {words}: allowed is ID=TEXT")
    return identifier, reason


def _reason(one: Broken) -> str:
    return _asked(f"{one.requirement} is {one.verdict}. Why is that known?", f'--reason "{one.requirement}=TEXT"')
