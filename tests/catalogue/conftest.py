# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the catalogue's tests."""

from pathlib import Path

import pytest

from tests.catalogue.toy import write_cases, write_catalogue


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """The folder of a catalogue with one made-up protocol."""
    return write_catalogue(tmp_path)


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """A folder with a case of it."""
    return write_cases(tmp_path)
