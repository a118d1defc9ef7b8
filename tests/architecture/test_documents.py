# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that the documents name are there."""

import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

PATH = re.compile(r"`((?:[a-z_]+/)+[\w.-]+\.(?:py|toml|lua|md|html))`")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "conformance/catalogue/README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    named = PATH.findall(page.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []
