# SPDX-License-Identifier: GPL-2.0-or-later
from typing import Any

import pytest

from layers import fuzz
from layers.mops import MOPSMigrate


def test_short_fuzz_run_finds_nothing() -> None:
    assert fuzz.run(5000, seed=1) == ""


def test_every_message_is_a_seed() -> None:
    names = {cls.__name__ for cls, _ in fuzz.seeds()}
    assert {"Ether", "IPFF", "MOPSMigrate", "RehashOption", "MSOCKSReconnect", "SACIP"} <= names


def test_an_exception_is_reported_with_its_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(self: Any) -> str:
        raise KeyError("broken on purpose")

    monkeypatch.setattr(MOPSMigrate, "mysummary", broken)
    assert fuzz.main(["--count", "2000"]) == 1
    report = capsys.readouterr().out
    assert "broken on purpose" in report
    assert "MOPSMigrate(" in report


def test_a_rebuild_that_differs_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MOPSMigrate, "post_build", lambda self, pkt, pay: pkt + pay + b"!")
    assert "rebuilt as" in fuzz.run(2000)


def test_same_seed_same_inputs() -> None:
    probed: list[bytes] = []

    def inputs() -> list[bytes]:
        probed.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fuzz, "probe", lambda cls, data: probed.append(data))
            fuzz.run(200, seed=7)
        return list(probed)

    assert inputs() == inputs()
