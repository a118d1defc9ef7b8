# SPDX-License-Identifier: GPL-2.0-or-later
"""A file is about one thing: at most 300 lines, or a reason."""

from tests.architecture.sources import FOLDERS, ROOT, sources

MOST = 300
REASONS = {
    "reference/msocks/splice.py": "one method a choice, so that a deviation overrides one",
    "reference/msocks/relay.py": "one method a choice, so that a deviation overrides one",
    "reference/mops/server.py": "one method a choice, so that a deviation overrides one",
    "reference/mops/mobile_node.py": "one method a choice, so that a deviation overrides one",
}
"""Files that are longer, and why."""


def test_long_files_have_a_reason() -> None:
    files = [path for folder in FOLDERS for path in sources(folder)] + [ROOT / "conftest.py"]
    long = {str(path.relative_to(ROOT)) for path in files if len(path.read_text().splitlines()) > MOST}
    assert long == set(REASONS)
