# SPDX-License-Identifier: GPL-2.0-or-later
"""What the launcher is told: the file that it reads."""

import json
from collections.abc import Sequence
from pathlib import Path


def write_order(
    path: Path, *, substitutes: dict[str, Path] | None = None, instrumented: Sequence[str] = (), records: Path = Path()
) -> Path:
    """Write an order (`tests.power.mutants.launcher`) and return its path."""
    named = {module: str(text) for module, text in (substitutes or {}).items()}
    content = {"substitutes": named, "instrumented": list(instrumented), "records": str(records.resolve())}
    path.write_text(json.dumps(content))
    return path.resolve()
