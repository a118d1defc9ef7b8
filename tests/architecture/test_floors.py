# SPDX-License-Identifier: GPL-2.0-or-later
"""The floors of the large packages: a sub-package imports those below it and itself, and none turns back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from profiles import PROTOCOLS
from tests.architecture.sources import FOLDERS, ROOT, imports, sources

TESTBED = ("interruptions", "wire", "device", "case", "peers", "run")
"""From the ground up. `testbed/__init__.py` stands above all: it hands out the marks."""

REFERENCE = (
    ("system",),
    ("bump", "agent", "supervision"),
    ("middlebox",),
    tuple(PROTOCOLS),
    ("roles", "daemon", "between"),
    ("__main__",),
)
"""The same for the reference; the protocols stand side by side and do not know each other."""


def arrows(package: str) -> Iterator[tuple[Path, int, str, str]]:
    """File, line, and the sub-packages at both ends of every import inside a package that leaves its sub-package."""
    for path in sources(package):
        own = path.relative_to(ROOT / package).parts[0].removesuffix(".py")
        for line, name in imports(path):
            parts = name.split(".")
            if parts[0] == package and len(parts) > 1 and parts[1] != own and own != "__init__":
                yield path.relative_to(ROOT), line, own, parts[1]


def test_the_testbed_has_six_floors_and_no_arrow_turns_back() -> None:
    heights = {name: height for height, name in enumerate((*TESTBED, "__main__"))}
    found = list(arrows("testbed"))
    assert {name for _, _, *ends in found for name in ends} <= set(heights)
    wrong = [
        f"{path}:{line}: {own} imports {other}" for path, line, own, other in found if heights[other] > heights[own]
    ]
    assert not wrong


def test_no_arrow_of_the_reference_turns_back() -> None:
    heights = {name: height for height, floor in enumerate(REFERENCE) for name in floor}
    wrong = [
        f"{path}:{line}: {own} imports {other}"
        for path, line, own, other in arrows("reference")
        if heights[other] >= heights[own]
    ]
    assert not wrong


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_cases_import_the_testbed_their_own_package_and_their_layer(protocol: str) -> None:
    """`legacy` is about hosts that know none of the protocols: it may use every layer."""
    allowed = {"testbed", "profiles", f"conformance.{protocol}", f"layers.{protocol}", "conformance.applicability"}
    general = {path.stem for path in (ROOT / "layers").glob("*.py")}
    folder = ROOT / "conformance" / protocol
    wrong = []
    for path in sorted(folder.rglob("*.py")):
        for line, name in imports(path):
            top = ".".join(name.split(".")[:2])
            is_layer = name.startswith("layers.") and (protocol == "legacy" or name.split(".")[1] in general)
            is_allowed = name.split(".")[0] in allowed or top in allowed or is_layer
            if name.split(".")[0] in FOLDERS and name != "layers" and not is_allowed:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not wrong
