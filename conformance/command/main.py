# SPDX-License-Identifier: GPL-2.0-or-later
"""The group of commands, and how each ends: one line for what is wrong, an exit code of docs/exit-codes.md."""

import importlib
import os
import sys
from collections.abc import Sequence

import click

from conformance.catalogue import CatalogueError
from conformance.command.tree import program
from profiles import ProfileError
from reports.bundle.ssh import SignatureError
from reports.files import ResultsError

USAGE = 4

_COMMANDS = {
    "certify": ("running", "Probe a device and write its certificate."),
    "resume": ("running", "Go on with a run that came to no end."),
    "compare": ("reading", "Say what two runs judged differently."),
    "matrix": ("reading", "Show devices beside each other, requirement by requirement."),
    "verify": ("reading", "Say whether a bundle of evidence is what it was."),
    "baseline": ("device", "Show or write what a profile expects to be broken."),
    "new-profile": ("device", "Write the profile of a device, every value explained."),
    "list": ("catalogue", "List requirements, roles, profiles, deviations."),
    "explain": ("catalogue", "Say what a requirement asks, which cases judge it, what proves them."),
}
"""Of each command the module that holds it, and what it does: a module is loaded when its command is called."""

SUFFIX = "_command"


class _Group(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"conformance.command.{_COMMANDS[cmd_name][0]}")
        command = getattr(module, cmd_name.replace("-", "_") + SUFFIX)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name the commands without loading what they need."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in _COMMANDS.items()])


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def roamproof() -> None:
    """Certify that a device keeps connections alive when addresses change.

    \b
    Examples:
      roamproof certify                             the reference implementation
      roamproof certify --dut my-device.toml        a device of your own
      roamproof explain MOPS-4.1-12                 a requirement
      roamproof matrix out out.1 -o matrix.html     devices side by side

    Shell completion: eval "$(_ROAMPROOF_COMPLETE=bash_source roamproof)"; zsh_source and fish_source likewise.
    Exit codes: 0 as asked, 1 not conformant, regressed or not as it was, 4 wrong command line or file.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code."""
    name = program()[-1] if len(program()) == 1 else "python -m conformance"
    try:
        code = roamproof.main(arguments, prog_name=name, standalone_mode=False)
    except click.Abort:
        sys.stderr.write("roamproof: ended before it was done\n")
        return 2
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        where = context.command_path if context else name
        hint = f" (`{where} --help` tells more)" if isinstance(error, click.UsageError) else ""
        sys.stderr.write(f"{where}: {' '.join(error.format_message().split())}{hint}\n")
        return USAGE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads any more: `roamproof list | head`
        return 0
    except (CatalogueError, ProfileError, ResultsError, SignatureError, OSError) as error:
        sys.stderr.write(f"{name}: {error}\n")
        return USAGE
    return code if isinstance(code, int) else 0
