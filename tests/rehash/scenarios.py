# SPDX-License-Identifier: GPL-2.0-or-later
"""All scenarios of a Rehash host by name, each with what comes out at both ends."""

from tests.rehash import scenarios_init, scenarios_moving, scenarios_receiving
from tests.rehash.played_host import SCENARIOS

MODULES = (scenarios_init, scenarios_receiving, scenarios_moving)

__all__ = ["MODULES", "SCENARIOS"]
