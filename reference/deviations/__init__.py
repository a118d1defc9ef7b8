# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations: the reference made wrong on purpose, each in exactly one way."""

from reference.deviations.registry import Deviation, all_deviations, find

__all__ = ["Deviation", "all_deviations", "find"]
