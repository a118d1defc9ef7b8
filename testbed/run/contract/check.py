# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m testbed check-dut PROFILE`: does a device follow docs/dut-contract.md? Ten seconds, before any case."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from profiles import Profile, ProfileError, Role, load
from testbed.case.case import Case, CaseSpec
from testbed.case.setup import Setup
from testbed.device.supervisor import LinkError
from testbed.interruptions import DeviceLost, MachineError
from testbed.run.contract.lines import Line
from testbed.run.contract.verbs import Verbs
from testbed.run.contract.wire import check_wire
from testbed.run.devices import Devices
from testbed.wire.clock import Clock

RIGHT, WRONG, UNUSABLE = 0, 1, 2


def check_device(profile: Profile) -> Iterator[Line]:
    """Try a device in each role that its profile claims; on a real wire in the first one, which it has to be in now.

    To be called in the main thread. MachineError where the machine does not let it go on.
    """
    clock = Clock()
    devices = Devices(profile, 1, clock)
    try:
        for role in profile.claimed:
            with clock.announced():
                yield from _check_role(devices, role)
            table = profile.link.of(role.links[0])
            if table and table.kind == "interface":
                return
    finally:
        clock.stop()
        devices.close()


def _check_role(devices: Devices, role: Role) -> Iterator[Line]:
    try:
        setup = devices.begin(role)
    except LinkError as error:
        yield Line("wrong", f"{role.qualified}: start", str(error))
        return
    said = f"{setup.dut.name} {setup.dut.version}".strip()
    yield Line("ok", f"{role.qualified}: start" + (f", {said}" if said else ""))
    try:
        for network in dict.fromkeys(name for link in setup.links.values() for name in link.networks):
            yield from _check_network(setup, network)
    except DeviceLost as lost:
        yield Line("wrong", "the device", str(lost))
    finally:
        devices.end(setup)


def _check_network(setup: Setup, network: str) -> Iterator[Line]:
    spec = CaseSpec("check", "", "The device follows the contract.", "valid", (), {"network": network}, "", setup.role)
    case = Case(spec, setup, network)
    try:
        is_reachable = True
        for line in check_wire(case):
            is_reachable = is_reachable and line.result == "ok"
            yield line
        if not is_reachable or len(case.sides) > 1:
            return
        if agent := setup.dut.agent:
            yield from Verbs(case, agent).lines()
        else:
            yield Line("absent", "upper tester", "cases that need one are NOT APPLICABLE (dut.agent, dut.verbs)")
    finally:
        case.leave()


def main(words: Sequence[str]) -> int:
    """Print a line for each trial; 0 if none is wrong, 1 if one is, 2 if the profile or the machine is."""
    parser = argparse.ArgumentParser(prog="python -m testbed check-dut", description=check_device.__doc__)
    parser.add_argument("profile", type=Path, metavar="PROFILE", help="the device's profile (docs/profile.md)")
    parser.add_argument("--role", action="append", default=[], metavar="ROLE", help='that role alone: "mops server"')
    options = parser.parse_args(words)
    worst = RIGHT
    try:
        for line in check_device(load(options.profile, roles=options.role)):
            _say(line)
            worst = WRONG if line.result == "wrong" else worst
    except (ProfileError, MachineError) as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE
    _say("The device follows the contract." if worst == RIGHT else "The device does not follow the contract yet.")
    return worst


def _say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
