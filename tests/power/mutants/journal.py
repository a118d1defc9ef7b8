# SPDX-License-Identifier: GPL-2.0-or-later
"""Results on disk as they come: a run that was ended goes on where it stopped, as long as the tree is the same."""

import json
from dataclasses import asdict
from pathlib import Path

from tests.power.mutants.trial import Result


class Journal:
    """The results of one tree, whatever the seed: a mutant's result is that of its text."""

    def __init__(self, folder: Path, digest: str) -> None:
        self._path = folder / f"journal-{digest}.jsonl"
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        self.results = {result.id: result for line in lines if (result := _result(line))}

    def add(self, result: Result) -> None:
        """Keep a result."""
        self.results[result.id] = result
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(result)) + "\n")


def _result(line: str) -> Result | None:
    """The result of a line; None for one that was not written to its end."""
    try:
        return Result(**json.loads(line))
    except ValueError:
        return None
