# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be configured of TCP Rehash."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RehashSettings:
    """The table `rehash` of DUT_CONFIG."""

    option_kind: int = 253
    max_retries: int = 5  # segments with REHASH-ADDR and no answer; 0: no maximum
    init_reissues: int = 3
