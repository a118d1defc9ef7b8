# SPDX-License-Identifier: GPL-2.0-or-later
"""In which order cases start, and in which pytest asks for their outcomes."""

import pytest


def collected(item: pytest.Item) -> tuple[bool, float]:
    """Cases with long mandated waits, or that are alone at their device, last: started first and collected last."""
    return _is_exclusive(item), _waits(item)


def starting(item: pytest.Item) -> tuple[float, bool]:
    """Long mandated waits first, then devices of their own, then the rest as pytest will ask for them."""
    return -_waits(item), not _is_exclusive(item)


def starting_at_one_device(item: pytest.Item) -> tuple[bool, float]:
    """Who has the device alone comes after all that are there side by side, as pytest will ask for them."""
    return (True, 0.0) if _is_exclusive(item) else (False, -_waits(item))


def _is_exclusive(item: pytest.Item) -> bool:
    """Whether the case changes its whole device, or is about one that stands in a chain."""
    return any(item.get_closest_marker(name) for name in ("exclusive", "chain"))


def _waits(item: pytest.Item) -> float:
    marker = item.get_closest_marker("waits")
    return float(marker.args[0]) if marker else 0.0
