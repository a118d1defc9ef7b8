# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m reference host` and `python -m reference kernel`: devices that the suite can certify."""

import argparse
import os
import sys
from collections.abc import Sequence

from reference.configuration import ConfigurationError, read_configuration
from reference.host import HostError, run_host
from reference.log import log
from reference.parts import Parts


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> "None":  # type: ignore[override]
        raise ConfigurationError(message)


def _list_deviations() -> None:
    from reference.deviations import all_deviations

    for entry in all_deviations().values():
        print(f"{entry.name:36} {entry.role:11} {entry.section:4} {entry.wrong}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 after a clean end, 1 when something broke, 2 when the input was wrong."""
    parser = _Parser(prog="python -m reference", description="Reference implementation of transport mobility.")
    roles = parser.add_subparsers(dest="daemon", required=True, metavar="{host,kernel}")
    host = roles.add_parser("host", help="an end host on one wire; configured by DUT_WIRES and DUT_CONFIG")
    host.add_argument("--deviate", metavar="NAME", help="be wrong in one way")
    host.add_argument("--list-deviations", action="store_true", help="name the ways of being wrong, and end")
    roles.add_parser("kernel", help="the kernel of this machine as it is, on the wire; configured in the same way")
    try:
        options = parser.parse_args(arguments)
        if options.daemon == "kernel":
            from reference.kernel import run_kernel

            return run_kernel(read_configuration(os.environ))
        if options.list_deviations:
            _list_deviations()
            return 0
        parts, deviation = Parts(), None
        if options.deviate is not None:
            from reference.deviations import find

            deviation = find(options.deviate)
            if deviation is None:
                raise ConfigurationError(f"no deviation {options.deviate!r}; --list-deviations names them")
        configuration = read_configuration(os.environ)
        if deviation is not None and deviation.fits(configuration.role):
            return run_host(configuration, parts.deviating(deviation.part), deviation.name)
        if deviation is not None:
            log(f"the deviation {deviation.name!r} is one of the role {deviation.role}: this host is right")
        return run_host(configuration, parts, None)
    except ConfigurationError as error:
        print(f"reference: {error}", file=sys.stderr)
        return 2
    except HostError as error:
        print(f"reference: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
