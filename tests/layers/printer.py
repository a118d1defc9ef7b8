# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m layers`` in this process, and what the captures for it are made of."""

from collections.abc import Callable
from pathlib import Path

import pytest
from scapy.config import conf

from layers import samples
from layers.__main__ import main
from layers.mops.packets import MOPSMigrate
from tests.layers import captures

ENTRIES = [(1024 + n, 2048 + n, 0x01020304 + n) for n in range(20)]
FRAMES = [
    bytes(samples.ipff(MOPSMigrate(code=code, migrated_source=samples.MOVED, entries=ENTRIES))) for code in (0, 2)
]
WHOLE = captures.pcapng(FRAMES)
Made = Callable[..., bytes]
SAMPLES = {name: bytes(frame) for name, frame in samples.frames().items()}


@pytest.fixture(autouse=True)
def as_a_user_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scapy turns a header that cannot be read into bytes: cut ones are what is tried here."""
    monkeypatch.setattr(conf, "debug_dissector", False)


class Printer:
    """The command in this process."""

    def __init__(self, path: Path, output: pytest.CaptureFixture[str]) -> None:
        self._path, self._output = path, output

    def run(self, capture: bytes) -> tuple[int, list[str], list[str]]:
        """Exit code, lines of the packets, lines of errors."""
        self._path.write_bytes(capture)
        code = main([str(self._path)])
        output, errors = self._output.readouterr()
        return code, output.splitlines(), errors.splitlines()

    def lines(self, capture: bytes) -> list[str]:
        """The packets' lines of a capture that has no fault."""
        code, lines, errors = self.run(capture)
        assert (code, errors) == (0, [])
        return lines


@pytest.fixture
def printer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Printer:
    return Printer(tmp_path / "capture", capsys)


@pytest.fixture
def whole(printer: Printer) -> list[str]:
    """The lines of the two frames in a capture without any peculiarity."""
    lines = printer.lines(WHOLE)
    assert [line.split("ports ")[1] for line in lines] == ["1024 > 2048, 1025 > 2049, 1026 > 2050, and 17 more"] * 2
    assert [line.split()[1] for line in lines] == ["0.000000000", "0.001000000"]
    return lines
