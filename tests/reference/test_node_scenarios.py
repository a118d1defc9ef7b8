# SPDX-License-Identifier: GPL-2.0-or-later
"""Every scenario of a mobile node comes out as it is right."""

import pytest

from reference.parts import Parts
from tests.reference.node_bench import Bench
from tests.reference.node_scenarios_learning import SCENARIOS


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_reference_is_right(name: str) -> None:
    play, right = SCENARIOS[name]
    bench = Bench(Parts())
    try:
        assert play(bench) == right
    finally:
        bench.close()
