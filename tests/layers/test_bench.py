# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmark of the layers: every message is in it, and growth beyond the allowed fails."""

import pytest

from bench import layers as bench
from tests.layers.vectors import VECTORS


def test_benchmark_prints_every_message_and_every_size(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "WINDOW_S", 0)
    monkeypatch.setattr(bench, "WINDOWS", 1)
    bench.main()
    printed = capsys.readouterr().out
    for name in (*bench.MESSAGES, *(f"{table}, {most}" for table, (_, most) in bench.tables().items()), "growth is"):
        assert name in printed


@pytest.mark.parametrize(("thousand", "code"), [(19.0, 0), (21.0, 1)])
def test_growth_beyond_the_allowed_fails(thousand: float, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fake(make: bench.Make) -> tuple[float, float]:
        return 1.0, thousand if len(make()) >= 2000 else 1.0

    monkeypatch.setattr(bench, "build_and_dissect", fake)
    monkeypatch.setattr(bench, "OPTION_WORK", {})
    assert bench.main() == code


def test_every_message_and_every_table_is_measured() -> None:
    assert {vector.cls.__name__ for vector in VECTORS} - {"ICMPv5", "TimestampOption"} <= bench.MESSAGES.keys()
    assert bench.tables()
