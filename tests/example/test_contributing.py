# SPDX-License-Identifier: GPL-2.0-or-later
"""What CONTRIBUTING shows of the Example protocol stands in its files."""

import re
import textwrap
from pathlib import Path

from tests.lab.tree import ROOT

OVERLAY = Path(__file__).with_name("overlay")
SHOWN = re.compile(r"^`([\w/.]+)`\n\n((?: {4}.*\n|\n)+)", re.MULTILINE)


def test_every_block_of_code_is_taken_from_its_file() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    blocks = SHOWN.findall(text)
    assert len(blocks) > 5
    assert not re.search(r"^ {4}\S", SHOWN.sub("", text), re.MULTILINE), "code that is not taken from a file"
    for name, block in blocks:
        assert textwrap.dedent(block).strip("\n") in (OVERLAY / name).read_text(), name
