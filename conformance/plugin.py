# SPDX-License-Identifier: GPL-2.0-or-later
"""Pytest side of the cases: makes a case out of an item's marks, its docstring and the catalogue."""

import functools
import inspect
import os
import re
import shlex
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from conformance import applicability, catalogue
from profiles import ROLES, Profile, Role
from testbed.case.case import Behaviour, Case, CaseSpec
from testbed.case.verdict import Requirement
from testbed.device.occupied import ALLOW
from testbed.run.plugin import PROFILE, SPEC

CATALOGUE = pytest.StashKey[catalogue.Catalogue]()
"""On the configuration: every requirement, loaded when the first case is collected."""


_RERUN = "-rerun"
_NO_KEYWORD = re.compile(r"[^\w.:+-]+")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("roamproof")
    group.addoption(
        "--requirement",
        action="append",
        default=[],
        metavar="ID",
        help="run only the cases that judge this requirement",
    )
    group.addoption(
        "--beside",
        type=int,
        metavar="K",
        help="with --requirement: and every K-th of the other cases, drawn by --dut-arg",
    )


@pytest.fixture
def case(network: str) -> Case:
    """The running attempt; the testbed provides it."""
    raise NotImplementedError(f"cases over {network} are run by the testbed")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A case runs over every network of its role, or those of them that it is about."""
    if "network" in metafunc.fixturenames and (role := _role_at(metafunc.definition.path)):
        about = metafunc.definition.get_closest_marker("over")
        metafunc.parametrize("network", [name for name in role.networks if not about or name in about.args])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    cases = [item for item in items if item.get_closest_marker("requirement")]
    if not cases:
        return
    if PROFILE not in config.stash:
        raise pytest.UsageError("--dut is missing: which device? allowed is a profile, such as profiles/reference.toml")
    config.stash[CATALOGUE] = known = catalogue.load()
    for one in config.stash[PROFILE].expected:
        if one.requirement not in known:
            wrong = f"{config.stash[PROFILE].path}: expected.requirement: {one.requirement}"
            raise pytest.UsageError(f"{wrong}; allowed are ids of the catalogue, such as MOPS-4.1-01")
    specs = {item: _spec(item, known, config.stash[PROFILE]) for item in cases if isinstance(item, pytest.Function)}
    nodes: dict[str, str] = {}
    for spec in specs.values():
        if (other := nodes.setdefault(spec.id, spec.node)) != spec.node:
            raise pytest.UsageError(f"{spec.node}: the case {spec.id} is {other}; allowed is another number")
    for item, spec in specs.items():
        item.stash[SPEC] = spec
        item.extra_keyword_matches.add(spec.id)
    if config.getoption("--role"):
        claimed = config.stash[PROFILE].claimed
        _keep(
            config, items, lambda item: item not in specs or bool(applicability.claimed_for(claimed, specs[item].role))
        )
    if config.getoption("--requirement"):
        _select(config, known, items)


def _select(config: pytest.Config, known: catalogue.Catalogue, items: list[pytest.Item]) -> None:
    """Keep the cases of the requirements that were asked for, and the draw from the others."""
    wanted = set(config.getoption("--requirement"))
    if unknown := [identifier for identifier in sorted(wanted) if identifier not in known]:
        raise pytest.UsageError(f"--requirement {unknown[0]}: allowed are ids of the catalogue, such as MOPS-4.1-01")
    share = config.getoption("--beside")
    seed = " ".join(config.getoption("--dut-arg"))

    def is_kept(item: pytest.Item) -> bool:
        if SPEC not in item.stash or wanted & {one.id for one in item.stash[SPEC].requirements}:
            return True
        return bool(share) and zlib.crc32(f"{seed} {item.nodeid}".encode()) % share == 0

    _keep(config, items, is_kept)


def _keep(config: pytest.Config, items: list[pytest.Item], is_kept: Callable[[pytest.Item], bool]) -> None:
    kept = [item for item in items if is_kept(item)]
    config.hook.pytest_deselected(items=[item for item in items if not is_kept(item)])
    items[:] = kept


def _spec(item: pytest.Function, known: catalogue.Catalogue, profile: Profile) -> CaseSpec:
    identifiers, number = _marked(item)
    behaviour = item.get_closest_marker("behaviour")
    if not behaviour:
        raise pytest.UsageError(f"{item.nodeid}: a case is @valid, @invalid or @inopportune")
    requirements = [known.requirement(identifier) for identifier in identifiers]
    role = role_of(item.path)
    ruled_out = applicability.rules_out(profile, role, str(item.callspec.params["network"]), requirements)
    return CaseSpec(
        id=case_id(identifiers[0], number, item.callspec.id),
        node=item.nodeid,
        purpose=" ".join((inspect.getdoc(item.function) or "").split()),
        behaviour=cast(Behaviour, behaviour.args[0]),
        requirements=tuple(map(_requirement, requirements)),
        unsolicited=_unsolicited(known, role),
        parameters=_parameters(item),
        rerun=_rerun(item, profile),
        role=applicability.claimed_for(profile.claimed, role) or role,
        not_applicable=ruled_out,
        exclusive=any(item.get_closest_marker(name) for name in ("exclusive", "chain")),
        moves=bool((alone := item.get_closest_marker("exclusive")) and not alone.args),
        chain=chain.args[0](profile) if (chain := item.get_closest_marker("chain")) and not ruled_out else None,
    )


def _rerun(item: pytest.Function, profile: Profile) -> str:
    """The command that runs this case again, from the folder that the run was started in; its report lies elsewhere."""
    config = item.config
    node = f"{from_here(item.path)}::{item.nodeid.partition('::')[2]}"
    arguments = [f"--dut-arg={argument}" for argument in config.getoption("--dut-arg")]
    arguments += [f"--role={role}" for role in config.getoption("--role")]
    arguments += [f"{ALLOW}={name}" for name in config.getoption(ALLOW)]
    report = f"{config.getoption('--report').removesuffix(_RERUN)}{_RERUN}"
    options = ["--dut", str(profile.path), *arguments, "--seed", str(config.option.seed), "--report", report]
    return shlex.join([*program(), node, *options])


def _unsolicited(known: catalogue.Catalogue, role: Role) -> Requirement | None:
    """What a message that nothing asked for breaks: the role's own requirement, or that of a role it is also."""
    found = (known.unsolicited(role.protocol.upper(), name) for name in role.judged_by)
    return next((_requirement(general) for general in found if general), None)


def _requirement(entry: catalogue.Requirement) -> Requirement:
    return Requirement(entry.id, entry.strength, f"{entry.protocol} {entry.section}", entry.quote)


def _marked(item: pytest.Function) -> tuple[tuple[str, ...], int]:
    """The requirements that the nearest mark names, and the number that the nearest mark gives."""
    marks = list(item.iter_markers("requirement"))
    identifiers = next((mark.args for mark in marks if mark.args), None)
    number = next((mark.kwargs["case"] for mark in marks if "case" in mark.kwargs), None)
    if not identifiers or not isinstance(number, int):
        raise pytest.UsageError(f'{item.nodeid}: a case has a number: @requirement("ID", case=1)')
    return identifiers, number


def case_id(requirement: str, number: int, parameters: str) -> str:
    """The name of a case that stays, and that `-k` takes as it is: `MOPS-4.1-34.2[ipff-1]`."""
    return f"{requirement}.{number}[{_NO_KEYWORD.sub('-', parameters)}]"


def interpreter() -> str:
    """How to call this Python from the folder that the run was started in."""
    return from_here(Path(sys.executable))


def started_by() -> str:
    """The command that has started this run and that repeats it; empty where it was pytest."""
    return os.environ.get("ROAMPROOF_COMMAND", "")


def program() -> list[str]:
    """How a case is run again: by the command that has started this run, or by pytest itself."""
    started = shlex.split(started_by())
    if "certify" in started:
        return started[: started.index("certify") + 1]
    return [interpreter(), "-m", "pytest"]


@functools.cache
def from_here(path: Path) -> str:
    """The path from the folder that the run was started in, where it lies below it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _role_at(path: Path) -> Role | None:
    protocol, folder = path.parts[-3:-1]
    return next((role for role in ROLES if (role.protocol, role.folder) == (protocol, folder)), None)


def role_of(path: Path) -> Role:
    """The role whose cases lie there; UsageError where no role's do."""
    if role := _role_at(path):
        return role
    raise pytest.UsageError(f"{path}: cases lie in the folder of a role: conformance/mops/mobile_node/{path.name}")


def _parameters(item: pytest.Function) -> dict[str, str]:
    """The parameters in words: pytest's id of each where the value alone would not say it."""
    names = list(item.callspec.params)
    values = item.callspec.params.values()
    return {name: str(value) for name, value in zip(names, values, strict=True)}
