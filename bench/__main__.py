# SPDX-License-Identifier: GPL-2.0-or-later
"""Run every benchmark: `python -m bench`."""

import sys

from bench import journal, layers, overlap

sys.exit(max(benchmark.main() for benchmark in (layers, overlap, journal)))
