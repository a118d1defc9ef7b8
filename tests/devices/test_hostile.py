# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run says of devices that misbehave on purpose: their fault, named; nothing fails of itself.

All kinds are attempts of `make chaos`.
"""

import os
import random
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from reports.model import Results
from tests.chaos.judging import Judgement
from tests.chaos.kinds import hostile
from tests.devices.hostile.__main__ import KINDS

SAID = {
    "window-scale-of-two-bytes": (11, "No must is broken"),
    "header-length-0": (8, "dropped: an IPv4 header of 0 bytes in a packet of"),
    "length-of-65535": (8, "dropped: an IPv4 packet that is to have 65535 bytes, of which"),
    "data-offset-0": (8, "dropped: a TCP segment of 20 bytes with a data offset of 0"),
    "data-offset-beyond-the-end": (8, "dropped: a TCP segment of 20 bytes with a data offset of 60"),
    "nops-1400": (8, "no echo service at 198.18.0.1 over ipv4"),
    "ipff-protocol-300": (11, "No must is broken"),
    "every-frame-200-times": (1, "Broken: MOPS-"),
    "replies-of-controls": (6, r"\x1b[31m\x1b[2J\r\x08\x00\x9b1m\u202e\u2066\ufeff\n::error::forged\u2028"),
    "replies-of-surrogates": (6, r"\ud800 \udfff"),
    "replies-nested": (8, "the upper tester"),
    "errors-of-ten-megabytes": (6, "more than 1048576, in place of an answer"),
    "results-that-are-numbers": (6, "the result must be a JSON object, not 7"),
    "results-of-wrong-types": (6, "the result is wrong: listener: Input should be a valid integer"),
    "chatter-without-end": (8, "the upper tester has written 16 MiB that answer nothing"),
    "ready-line-of-controls": (11, "No must is broken"),
    "ready-line-nested": (8, 'the first line of output must be {"ready": true, ...}'),
    "ends-at-once": (8, "the device ended with exit code 3 before it was ready"),
    "log-of-controls": (11, "No must is broken"),
}
"""The exit code, and what is in the reason of the run or of a case."""

SAMPLE = (
    "header-length-0",
    "data-offset-0",
    "replies-of-controls",
    "results-of-wrong-types",
    "errors-of-ten-megabytes",
    "ready-line-nested",
    "log-of-controls",
)
NAMES = [*SAID] if os.environ.get("ALL_CASES") else SAMPLE

AT_ONCE = 2

Attempt = tuple[str, Judgement, Results]


@pytest.fixture(scope="module")
def attempts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, "Future[Attempt]"]]:
    """All of them with ALL_CASES=1, else a sample; two at a time."""
    folder = tmp_path_factory.mktemp("hostile")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(_attempt, name, folder / name) for name in NAMES}


def _attempt(name: str, folder: Path) -> Attempt:
    folder.mkdir()
    words, found = hostile(name)(folder, random.Random(0))
    return words, found, Results.load(folder / "report/results.json")


def test_there_are_enough_of_them() -> None:
    assert len(KINDS) == len(set(KINDS)) >= 50
    assert set(SAID) <= set(KINDS)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_named(name: str, attempts: "dict[str, Future[Attempt]]") -> None:
    words, found, results = attempts[name].result()
    code, said = SAID[name]
    assert not found.faults, (words, found.output)
    assert found.code == code, found.output
    reasons = [results.reason, *(case.reason for case in results.cases)]
    assert any(said in " ".join(reason.split()) for reason in reasons), reasons
