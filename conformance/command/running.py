# SPDX-License-Identifier: GPL-2.0-or-later
"""`roamproof certify` and `roamproof resume`: pytest over the cases, started in its own words."""

import os
import shlex
import sys
from pathlib import Path

import click

from conformance.command.tree import TREE, environment, from_here, profile, program
from reports.journal import JOURNAL, read_journal

_BRIEF = ["-q", "-q", "--tb=no", "-rN", "--brief"]


@click.command("certify", context_settings={"ignore_unknown_options": True})
@click.option(
    "--dut", default="reference", metavar="PROFILE", help="profile of the device, or a name of the suite's own"
)
@click.option("--report", default="out", show_default=True, metavar="DIR", help="folder of certificate and evidence")
@click.option("-n", "--jobs", metavar="NUMBER", help="test processes; as many as processors unless given")
@click.option(
    "--role", multiple=True, metavar="ROLE", help='this role alone, such as "mops server"; the result is partial'
)
@click.option("--requirement", multiple=True, metavar="ID", help="the cases of this requirement alone; partial too")
@click.option("--deviate", metavar="NAME", help="the reference made wrong in one way (`roamproof list deviations`)")
@click.option("--variant", metavar="NAME", help="the reference made right in another way")
@click.option("--seed", type=int, metavar="NUMBER", help="of the random values of an earlier run")
@click.option("--strict-verdict", is_flag=True, help="a broken should makes the device not conformant")
@click.option("--bundle", metavar="FILE", help="put the evidence into one archive")
@click.option(
    "--sign-key", metavar="FILE", help="sign the bundle with this SSH private key; DIR/bundle.zip unless named"
)
@click.option("--official", is_flag=True, help="a whole run of a clean suite, with declaration and test report")
@click.option("--verbose", is_flag=True, help="a letter a case, and every finding with its packets as it comes")
@click.argument("further", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST OPTIONS]...")
def certify_command(further: tuple[str, ...], **options: object) -> None:
    """Probe a device and write its certificate.

    What is not an option of this command goes to pytest as it is.

    \b
    Examples:
      roamproof certify
      roamproof certify --dut linux
      roamproof certify --dut box.toml --report box --sign-key ~/.ssh/id_ed25519
      roamproof certify --dut box.toml -k MOPS-4.1-34
      roamproof certify --dut box.toml --official
      roamproof certify --deviate sequence-beyond-window
    """
    typed = [*program(), "certify", *_typed(options), *further]
    _run(_pytest(options, list(further)), typed)


def _typed(options: dict[str, object]) -> list[str]:
    """The options as they are typed, for the command that repeats the run."""
    words: list[str] = []
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        if value is True:
            words.append(option)
        elif isinstance(value, tuple):
            words += [word for one in value for word in (option, str(one))]
        elif value not in (None, False):
            words += [option, str(value)]
    return words


def _pytest(options: dict[str, object], further: list[str]) -> list[str]:
    """The command line of pytest."""
    if (dut := profile(str(options["dut"]))).is_dir():
        raise click.UsageError(f"--dut {dut}: is a folder; allowed is a profile, a TOML file")
    cases = [] if any(map(_names_cases, further)) else [from_here(TREE / "conformance")]
    words = [*cases, "--dut", from_here(dut), "--report", str(options["report"])]
    if Path.cwd() != TREE:
        words += ["--rootdir", str(TREE), "-c", str(TREE / "pyproject.toml"), "-p", "no:cacheprovider"]
    words += ["-q", "--tb=short"] if options["verbose"] else _BRIEF
    words += ["-n", str(options["jobs"])] if options["jobs"] is not None else []
    words += [
        f"--dut-arg={word}" for name in ("deviate", "variant") if options[name] for word in _altered(options, name)
    ]
    for name in ("role", "requirement"):
        values = options[name]
        assert isinstance(values, tuple)
        words += [f"--{name}={one}" for one in values]
    words += [f"--{name}={options[key]}" for key, name in _VALUES.items() if options[key] is not None]
    words += [f"--{name}" for name in ("strict-verdict", "official") if options[name.replace("-", "_")]]
    return [*words, *further]


def _names_cases(word: str) -> bool:
    """Whether a word of the command line is a case, or a file or folder of cases."""
    path = Path(word.partition("::")[0])
    return "::" in word or (path.exists() and path.resolve().is_relative_to(TREE / "conformance"))


_VALUES = {"seed": "seed", "bundle": "bundle", "sign_key": "sign-key"}


def _altered(options: dict[str, object], name: str) -> list[str]:
    return [f"--{name}", str(options[name])]


def _run(words: list[str], typed: list[str]) -> None:
    """Become pytest: signals, the terminal and the exit code are those of the run."""
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-m", "pytest", *words], environment(typed))


@click.command("resume")
@click.argument("folder", default="out", metavar="[DIR]", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-n", "--jobs", metavar="NUMBER", help="test processes; as many as processors unless given")
def resume_command(folder: Path, jobs: str | None) -> None:
    """Go on with a run that came to no end: killed, interrupted, out of disk.

    DIR is its report folder (default: out). What it has decided is kept; what is missing runs, from the folder in which
    the run was started, with the same profile, suite and seed. With another one it is refused.

    \b
    Examples:
      roamproof resume
      roamproof resume box -n 4
    """
    results, _ = read_journal(folder / JOURNAL)
    words = shlex.split(results.command)
    more = ["--report", str(folder), "--resume", *(["-n", jobs] if jobs else [])]
    more += ["--seed", str(results.seed)] if results.seed is not None else []
    if "pytest" in words:
        _run([*words[words.index("pytest") + 1 :], *_BRIEF, *more], words)
    if "certify" not in words:
        raise click.UsageError(f"{folder}: was not made by `roamproof certify`: {results.command}")
    with certify_command.make_context("certify", [*words[words.index("certify") + 1 :], *more]) as context:
        certify_command.invoke(context)
