# SPDX-License-Identifier: GPL-2.0-or-later
import re
from typing import Any

import pytest

from layers import fuzz
from layers.icmpv5 import ICMPv5, ICMPv5EchoRequest
from tests.layers.vectors import VECTORS


def test_short_fuzz_run_finds_nothing() -> None:
    assert fuzz.run(5000, seed=1) == ""


def test_every_message_is_a_seed() -> None:
    seeds = {cls for cls, _ in fuzz.seeds()}
    assert {vector.cls for vector in VECTORS} - {ICMPv5} <= seeds


def test_an_exception_is_reported_with_its_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(self: Any) -> str:
        raise KeyError("broken on purpose")

    monkeypatch.setattr(ICMPv5EchoRequest, "mysummary", broken)
    assert fuzz.main(["--count", "2000"]) == 1
    report = capsys.readouterr().out
    assert "broken on purpose" in report
    assert re.search(r"input \d+ of seed 0: \w+\([0-9a-f]+\)", report)


def test_a_rebuild_that_differs_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ICMPv5EchoRequest, "post_build", lambda self, pkt, pay: pkt + pay + b"!")
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
