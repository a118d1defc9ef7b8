# SPDX-License-Identifier: GPL-2.0-or-later
"""What an official run asks of profile, options and suite, and what identifies them."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from profiles import Profile
from profiles.declaration import Declaration
from testbed.run.origin import git

TREE = Path(__file__).resolve().parents[1]

_PARTS = ("conformance", "layers", "profiles", "reference", "reports", "testbed")
_NARROWING = (
    "keyword",
    "markexpr",
    "role",
    "requirement",
    "deselect",
    "maxfail",
    "dut_arg",
    "lf",
    "ignore",
    "ignore_glob",
)


def refusal(config: pytest.Config, profile: Profile) -> str:
    """Why the run cannot be official, in one line; nothing where it can."""
    narrowed = [name for name in _NARROWING if getattr(config.option, name, None)]
    if narrowed:
        return f"--official: not with --{narrowed[0].replace('_', '-')}: every case of every claim has to run"
    named = [Path(word.partition("::")[0]).resolve() for word in config.args]
    if named != [TREE / "conformance"] or any("::" in word for word in config.args):
        return "--official: not with cases that are named: every case of every claim has to run"
    if not profile.declaration:
        return f"--official: {profile.path}: declaration: the table is missing; allowed is one, see docs/official.md"
    for key in ("vendor", "version"):
        if not getattr(profile.dut, key):
            return f"--official: {profile.path}: dut.{key}: is empty; allowed is a text"
    if missing := [key for key, _, _, reason in changed(profile) if not reason]:
        return (
            f"--official: {profile.path}: declaration.reasons: {missing[0]}: is missing: its value is not the default"
        )
    if unclean := _git("status", "--porcelain"):
        return f"--official: the suite's tree is not clean: {unclean.splitlines()[0].strip()}"
    return ""


def changed(profile: Profile) -> Iterator[tuple[str, str, str, str]]:
    """Every value of the profile's ixit that has a default and is another: key, default, value, reason."""
    reasons = profile.declaration.reasons if profile.declaration else {}
    for key, default, value in _changed(profile.ixit, ""):
        yield key, str(default), str(value), reasons.get(key, "")


def _changed(table: BaseModel, prefix: str) -> Iterator[tuple[str, Any, Any]]:
    for name, field in type(table).model_fields.items():
        value = getattr(table, name)
        if isinstance(value, BaseModel):
            yield from _changed(value, f"{prefix}{name}.")
        elif not field.is_required() and value is not None and value != field.get_default(call_default_factory=True):
            yield f"{prefix}{name}".replace(".link.", "."), field.default, value


def declared(declaration: Declaration) -> dict[str, str]:
    """The declaration in words, by heading."""
    return {
        "Name": declaration.name,
        "Role": declaration.role,
        "Organisation": declaration.organisation,
        "Contact": declaration.contact,
        "Tested": " ".join(
            filter(None, [declaration.tested, declaration.laboratory and f"by {declaration.laboratory}"])
        ),
        "Firmware, SHA-256": declaration.firmware_sha256,
    }


def identities(profile: Profile) -> dict[str, str]:
    """What tells this suite, its catalogue and the profile from all others; nothing of it is ever empty."""
    suite = [path for part in _PARTS for path in (TREE / part).rglob("*") if path.is_file() and path.suffix != ".pyc"]
    catalogue = list((TREE / "conformance").glob("*/requirements.toml"))
    specifications = list((TREE / "conformance").glob("*/specification.txt"))
    return {
        "Suite, commit": _git("rev-parse", "HEAD") or "installed from a wheel",
        "Suite, SHA-256": _digest([*suite, TREE / "conftest.py"]),
        "Catalogue, SHA-256": _digest(catalogue),
        "Specifications, SHA-256": _digest(specifications),
        "Profile, SHA-256": hashlib.sha256(profile.path.read_bytes()).hexdigest(),
    }


def _digest(paths: list[Path]) -> str:
    """One digest of the names and contents of files."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(TREE)}\n" for path in sorted(paths)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _git(*words: str) -> str:
    """What git says of the suite's tree; nothing where that is no repository of its own."""
    if not (TREE / ".git").exists():
        return ""
    return git(TREE, *words)
