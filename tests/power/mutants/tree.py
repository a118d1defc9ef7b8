# SPDX-License-Identifier: GPL-2.0-or-later
"""The modules that decide, and the digests by which results are known to be of this tree."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tests.power.mutants.mutator import Mutant, mutants

ROOT = Path(__file__).resolve().parents[3]

_DECIDE = {
    "reference/bump": ("arp", "datapath", "flows", "given_up", "ipff", "ipv4", "tcp", "udp"),
    "reference/legacy": ("datapath",),
}
_CONFIGURE = ("__init__", "roles", "settings")

REACHING = ("reference", "conformance")
"""The folders that decide which case runs which statement."""

JUDGING = (*REACHING, "testbed", "layers", "profiles", "tests/profiles")
"""The folders that decide what comes of a mutant."""


def modules() -> dict[str, str]:
    """The source of every module that decides something, by the module's name."""
    files = [ROOT / folder / f"{name}.py" for folder, names in _DECIDE.items() for name in names]
    for protocol in ("mops", "rehash"):
        folder = ROOT / "reference" / protocol
        files += [file for file in sorted(folder.glob("*.py")) if file.stem not in _CONFIGURE]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts): file.read_text() for file in files}


def population(sources: dict[str, str]) -> list[Mutant]:
    """Every mutant of these modules."""
    return [mutant for module, source in sources.items() for mutant in mutants(module, source)]


def digest(places: Iterable[str]) -> str:
    """Of these files, and of every file of these folders that is Python or TOML."""
    summed = hashlib.sha256()
    for place in places:
        for file in _files(ROOT / place):
            summed.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes() + b"\0")
    return summed.hexdigest()[:12]


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    return [file for file in sorted(place.rglob("*")) if file.suffix in (".py", ".toml") and file.is_file()]
