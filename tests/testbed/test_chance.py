# SPDX-License-Identifier: GPL-2.0-or-later
"""Random values: those of a case come again with the seed, and differ from case to case."""

from pathlib import Path

from testbed.run.attempts import run_case
from testbed.wire import chance
from tests.testbed.lab import lab_in, spec


def drawn(folder: Path, seeds: list[str], identifier: str = "case") -> list[list[int]]:
    """What a case draws with each of these seeds, on a device of its own."""
    lab = lab_in(folder)
    found: list[list[int]] = []
    for seed in seeds:
        with lab.clock.announced():
            run_case(
                spec(id=identifier),
                lab.devices.lend,
                lambda _: found.append([chance.randbits(32), chance.randbelow(1 << 32), *chance.token_bytes(4)]),
                seed,
            )
    lab.close()
    return found


def test_a_seed_brings_the_same_values_back(tmp_path: Path) -> None:
    first, again, other = drawn(tmp_path, ["1", "1", "2"])
    assert first == again
    assert first != other


def test_each_case_draws_its_own(tmp_path: Path) -> None:
    assert drawn(tmp_path, ["1"]) != drawn(tmp_path, ["1"], "another case")


def test_outside_of_a_case_nothing_comes_again() -> None:
    assert chance.randbits(64) != chance.randbits(64)
