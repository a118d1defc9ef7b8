# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m reference`: the host that DUT_CONFIG describes; `python -m reference kernel`: an ordinary one."""

import argparse
import os
import sys
from collections.abc import Sequence

from reference.daemon import HostError, run_host
from reference.legacy.kernel import run_kernel
from reference.roles import all_deviations, fits, role_of
from reference.system.configuration import ConfigurationError, read_configuration
from reference.system.deviations import Deviation
from reference.system.fork_server import serve
from reference.system.log import log

_WARM = ("asyncio", "concurrent.futures.thread")
"""What a host imports only when it runs."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> "None":  # type: ignore[override]
        raise ConfigurationError(message)


def _list_deviations() -> None:
    for entry in all_deviations().values():
        role = f"{entry.protocol} {entry.role}"
        print(f"{entry.name:36} {role:16} {entry.section:4} {entry.wrong}")


def _find(name: str | None) -> Deviation | None:
    if name is None:
        return None
    deviation = all_deviations().get(name)
    if deviation is None:
        raise ConfigurationError(f"no deviation {name!r}; --list-deviations names them")
    return deviation


def _prepare(arguments: Sequence[str]) -> None:
    """Import in the fork server what hosts with these arguments import."""
    if "--deviate" in arguments:
        all_deviations()


def _run(deviation: Deviation | None) -> int:
    configuration = read_configuration(os.environ)
    kind = role_of(configuration)
    role = kind(configuration)
    if deviation is not None and not fits(deviation, kind):
        wrong = f"{deviation.protocol} {deviation.role}"
        log(f"the deviation {deviation.name!r} is one of the role {wrong}: this host is right")
        deviation = None
    if deviation is not None:
        role.deviate(deviation.part)
    return run_host(configuration, role, None if deviation is None else deviation.name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 after a clean end, 1 when something broke, 2 when the input was wrong."""
    parser = _Parser(
        prog="python -m reference",
        description="Reference implementation of transport mobility. DUT_WIRES names its interface, DUT_CONFIG a file "
        "that says what it is.",
    )
    parser.add_argument(
        "what", nargs="?", choices=["kernel"], help="the kernel of this machine as it is, on the wire, instead"
    )
    parser.add_argument("--deviate", metavar="NAME", help="be wrong in one way")
    parser.add_argument("--list-deviations", action="store_true", help="name the ways of being wrong, and end")
    parser.add_argument("--fork-server", action="store_true", help="fork hosts on request (docs/dut-contract.md)")
    try:
        options = parser.parse_args(arguments)
        if options.fork_server:
            return serve(main, _prepare, _WARM)
        if options.list_deviations:
            _list_deviations()
            return 0
        deviation = _find(options.deviate)
        if options.what == "kernel":
            return run_kernel(read_configuration(os.environ))
        return _run(deviation)
    except ConfigurationError as error:
        print(f"reference: {error}", file=sys.stderr)
        return 2
    except HostError as error:
        print(f"reference: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
