# SPDX-License-Identifier: GPL-2.0-or-later
import pytest

from bench import layers as bench


def test_benchmark_prints_every_message_and_every_size(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "WINDOW_S", 0)
    monkeypatch.setattr(bench, "WINDOWS", 1)
    bench.main()
    printed = capsys.readouterr().out
    for name in (*bench.MESSAGES, "MOPSMigrate, 8188", "MOPSNATAck, 16377", "growth is"):
        assert name in printed


@pytest.mark.parametrize(("thousand", "code"), [(19.0, 0), (21.0, 1)])
def test_growth_beyond_the_allowed_fails(thousand: float, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fake(make: bench.Make) -> tuple[float, float]:
        entries = len(getattr(make(), "entries", ()))
        return 1.0, thousand if entries >= 1000 else 1.0

    monkeypatch.setattr(bench, "build_and_dissect", fake)
    monkeypatch.setattr(bench, "OPTION_WORK", {})
    assert bench.main() == code
