# SPDX-License-Identifier: GPL-2.0-or-later
"""Every scenario of a mobile node comes out as it is right."""

import pytest

from tests.mops.node_scenarios_learning import SCENARIOS
from tests.mops.played_node import PlayedNode


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_reference_is_right(name: str) -> None:
    play, right = SCENARIOS[name]
    assert play(PlayedNode()) == right
