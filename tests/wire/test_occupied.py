# SPDX-License-Identifier: GPL-2.0-or-later
"""An interface that somebody else uses is refused before anything is sent, unless it is named."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.testbed.lab import ROOT, SERVER
from tests.testbed.runs import SHORT, environment
from tests.wire.box import profile_of

WHO = {
    "the default route": "is where this machine's default route leads",
    "a default route by two paths": "is where this machine's default route leads",
    "a bridge": "is a port of br0",
    "a second MAC": "carries mac0",
    "an address": "would be given 198.19.7.7, which is an address of this machine",
    "another run": "is in use by another run, process ",
}
ALLOWED = "; allowed is an interface that nothing else uses, or --allow-shared-interface lab0"


def _told(folder: Path, what: str, *allowed: str) -> tuple[int, str]:
    profile = profile_of(SHORT, SERVER, folder, changes=[('"MAC"', '"02:00:00:00:00:01"')])
    command = [sys.executable, "-m", "tests.wire.occupants", str(profile), what, *allowed]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def test_an_interface_that_nobody_uses_is_free(tmp_path: Path) -> None:
    assert _told(tmp_path, "nobody") == (0, "")


@pytest.mark.parametrize("what", WHO)
def test_an_interface_in_use_is_refused_with_who_has_it(tmp_path: Path, what: str) -> None:
    code, told = _told(tmp_path, what)
    assert code == 1
    assert f"link.interface: lab0 {WHO[what]}" in told
    assert told.endswith(ALLOWED)
    assert "\n" not in told


@pytest.mark.parametrize("what", ["the default route", "an address", "another run"])
def test_an_interface_that_is_named_is_taken_as_it_is(tmp_path: Path, what: str) -> None:
    assert _told(tmp_path, what, "lab0") == (0, "")
