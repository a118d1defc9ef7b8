# SPDX-License-Identifier: GPL-2.0-or-later
"""The interval between two commands, and that its memory is bounded."""

from reference.mops import rate_limit
from reference.mops.rate_limit import RateLimit


def test_the_interval_starts_with_an_attempt_and_ends() -> None:
    limit = RateLimit(5)
    assert not limit.is_inside("k", 0)
    limit.attempted("k", 0, success=False)
    assert limit.is_inside("k", 4.99)
    limit.discarded("k", 4.99)
    assert not limit.is_inside("k", 5)
    assert not limit.is_inside("other", 1)


def test_no_interval_discards_nothing() -> None:
    limit = RateLimit(0)
    limit.attempted("k", 1, success=True)
    assert not limit.is_inside("k", 1)


def test_intervals_that_are_over_are_forgotten() -> None:
    limit = RateLimit(5)
    for second in range(1000):
        limit.attempted(second, second, success=True)
    assert len(limit) == 5


def test_the_memory_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(rate_limit, "MAXIMUM", 10)
    limit = RateLimit(5)
    for key in range(100):
        limit.attempted(key, 1, success=True)
    assert len(limit) == 10
    assert limit.is_inside(99, 2)
