# SPDX-License-Identifier: GPL-2.0-or-later
"""By which options a run was narrowed: what it leaves out, it says nothing of."""

import shlex
from collections.abc import Iterable
from pathlib import Path

import pytest

_TEXTS = {"keyword": "-k", "markexpr": "-m"}
_LISTS = {
    "deselect": "--deselect",
    "ignore": "--ignore",
    "ignore_glob": "--ignore-glob",
    "requirement": "--requirement",
}
_SWITCHES = {"lf": "--last-failed", "stepwise": "--stepwise"}


def narrowing(config: pytest.Config, whole: Iterable[Path]) -> list[str]:
    """The options, as they are written on the command line; `whole` are the folders that hold all cases of a device."""
    option = config.option
    found = [f"{name} {shlex.quote(text)}" for key, name in _TEXTS.items() if (text := getattr(option, key, ""))]
    for key, name in _LISTS.items():
        found += [f"{name} {shlex.quote(str(value))}" for value in getattr(option, key, None) or ()]
    found += [name for key, name in _SWITCHES.items() if getattr(option, key, False)]
    places = [config.invocation_params.dir / argument for argument in config.args if "::" not in argument]
    taken = {place.resolve() for place in places}
    if not all(taken & {folder, *folder.parents} for folder in (one.resolve() for one in whole)):
        found += [shlex.quote(argument) for argument in config.args]
    return found
