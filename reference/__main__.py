# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m reference`: the host that DUT_CONFIG describes; `kernel`, `danted` and the like are none of ours."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from reference.between import run_middlebox, run_on_kernel
from reference.bump.role import Role
from reference.daemon import run_host
from reference.legacy.filtering import run_filtering
from reference.legacy.kernel import run_kernel
from reference.legacy.masquerade import run_masquerade
from reference.middlebox.kernel import KernelRole
from reference.middlebox.role import MiddleboxRole
from reference.msocks.stock import SERVERS, run_stock
from reference.roles import all_deviations, all_variants, fits, role_of
from reference.supervision import HostError
from reference.system.alterations import Deviation, Variant
from reference.system.configuration import Configuration, ConfigurationError, read_configuration
from reference.system.fork_server import serve
from reference.system.log import log
from reference.system.role import RunningRole

WARM = ("asyncio", "concurrent.futures.thread")
"""What a host imports only when it runs."""


_OTHERS: dict[str, Callable[[Configuration], int]] = {
    "kernel": run_kernel,
    "masquerade": run_masquerade,
    "firewall": run_filtering,
    **{name: partial(run_stock, name) for name in SERVERS},
}
"""What is on the wire without anything of ours: a kernel as an ordinary host a NAT or a firewall, a SOCKS server."""

T = TypeVar("T", Deviation, Variant)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> "None":  # type: ignore[override]
        raise ConfigurationError(message)


def _list(alterations: Mapping[str, Deviation | Variant]) -> None:
    for entry in alterations.values():
        role = f"{entry.protocol} {entry.role}"
        print(f"{entry.name:36} {role:16} {entry.section:4} {entry.does}")


def _find(options: argparse.Namespace) -> Deviation | Variant | None:
    if options.deviate is not None:
        return _named("deviation", options.deviate, all_deviations())
    if options.variant is not None:
        return _named("variant", options.variant, all_variants())
    return None


def _named(kind: str, name: str, known: Mapping[str, T]) -> T:
    if name not in known:
        raise ConfigurationError(f"no {kind} {name!r}; --list-{kind}s names them")
    return known[name]


def _prepare(arguments: Sequence[str]) -> None:
    """Import in the fork server what hosts with these arguments import."""
    if {"--deviate", "--variant"} & {*arguments}:
        all_deviations()


def _run(alteration: Deviation | Variant | None) -> int:
    configuration = read_configuration(os.environ)
    kind = role_of(configuration)
    role = kind(configuration)
    if alteration is not None and not fits(alteration, kind):
        other = f"{alteration.protocol} {alteration.role}"
        log(f"{alteration.name!r} is an alteration of the role {other}: this host is the reference as it is")
        alteration = None
    if alteration is not None:
        role.alter(alteration.part)
    name = None if alteration is None else alteration.name
    if isinstance(role, MiddleboxRole):
        return run_middlebox(configuration, role, name)
    if isinstance(role, KernelRole):
        return run_on_kernel(configuration, role, name)
    if isinstance(role, RunningRole):
        return role.run(name)
    assert isinstance(role, Role)
    return run_host(configuration, role, name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 after a clean end, 1 when something broke, 2 when the input was wrong."""
    parser = _Parser(
        prog="python -m reference",
        description="Reference implementation of transport mobility. DUT_WIRES names its interfaces, DUT_CONFIG a file "
        "that says what it is.",
    )
    parser.add_argument(
        "what",
        nargs="?",
        choices=list(_OTHERS),
        help="what is on the wire instead: the kernel of this machine by itself, or a SOCKS server",
    )
    parser.add_argument("--list-deviations", action="store_true", help="name the ways of being wrong, and end")
    parser.add_argument("--list-variants", action="store_true", help="name the other ways of being right, and end")
    different = parser.add_mutually_exclusive_group()
    different.add_argument("--deviate", metavar="NAME", help="be wrong in one way")
    different.add_argument("--variant", metavar="NAME", help="be right in another way")
    parser.add_argument("--fork-server", action="store_true", help="fork hosts on request (docs/dut-contract.md)")
    try:
        options = parser.parse_args(arguments)
        if options.fork_server:
            return serve(main, _prepare, WARM)
        if options.list_deviations:
            _list(all_deviations())
            return 0
        if options.list_variants:
            _list(all_variants())
            return 0
        alteration = _find(options)
        if options.what:
            return _OTHERS[options.what](read_configuration(os.environ))
        return _run(alteration)
    except ConfigurationError as error:
        print(f"reference: {error}", file=sys.stderr)
        return 2
    except HostError as error:
        print(f"reference: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
