# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m tests.power.mutants.launcher ORDER`: the fork server of a reference that is not as its files say.

ORDER is a JSON file: `substitutes`, module to path of the text that it is imported from; `records`, a folder where each
host notes the statements that it runs of `instrumented` modules. Such a host says the name of its record as its own.
"""

import ast
import importlib
import importlib.util
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from tests.power.mutants.hook import MARK, Substitutes, instrumented

_MEMORY = 1 << 30
_PROCESSOR_S = 120
_WARM = ("asyncio", "concurrent.futures.thread", "reference.roles")


class Record:
    """The statements that one host has run, on disk at once: a host may end at any time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[tuple[str, int]] = set()
        self._file: Any = None

    def begin(self) -> str:
        """A host begins; its record's name."""
        name = str(os.getpid())
        self._file = (self._folder / name).open("ab", buffering=0)
        for module, line in self._seen:
            self._write(module, line)
        return name

    def given(self, module: str) -> dict[str, object]:
        """What an instrumented module calls."""

        def runs(line: int) -> None:
            if (module, line) not in self._seen:
                self._seen.add((module, line))
                if self._file is not None:
                    self._write(module, line)

        return {MARK: runs}

    def _write(self, module: str, line: int) -> None:
        self._file.write(f"{module} {line}\n".encode())


def main() -> int:
    """Forks hosts until the supervisor hangs up."""
    order = json.loads(Path(sys.argv[1]).read_text())
    record = Record(Path(order["records"])) if order["instrumented"] else None
    trees = {module: ast.parse(Path(path).read_text()) for module, path in order["substitutes"].items()}
    if record is None:
        Substitutes(trees).install()
    else:
        Substitutes({module: instrumented(_text(module)) for module in order["instrumented"]}, record.given).install()
    # A mutant that loops, or that grows, ends by itself.
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR_S, _PROCESSOR_S))
    program = importlib.import_module("reference.__main__")
    daemon = importlib.import_module("reference.daemon")

    def run(arguments: list[str]) -> int:
        if record is not None:
            daemon.NAME = record.begin()  # type: ignore[attr-defined]
        return int(program.main(arguments))

    return int(importlib.import_module("reference.system.fork_server").serve(run, lambda _: None, _WARM))


def _text(module: str) -> str:
    return Path(*module.split(".")).with_suffix(".py").read_text()


if __name__ == "__main__":
    sys.exit(main())
