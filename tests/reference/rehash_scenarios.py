# SPDX-License-Identifier: GPL-2.0-or-later
"""All scenarios of a Rehash host by name, each with what comes out at both ends."""

from tests.reference import rehash_scenarios_init, rehash_scenarios_moving, rehash_scenarios_told
from tests.reference.rehash_bench import SCENARIOS

MODULES = (rehash_scenarios_init, rehash_scenarios_told, rehash_scenarios_moving)

__all__ = ["MODULES", "SCENARIOS"]
