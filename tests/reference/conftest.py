# SPDX-License-Identifier: GPL-2.0-or-later
"""One host for all tests of a module that do not need their own."""

from collections.abc import Iterator

import pytest

from tests.reference.lab import Lab
from tests.reference.rehash_peer import home
from tests.reference.wire import CARRIAGES

RATE_LIMIT_S = 0.4


@pytest.fixture(scope="module")
def host() -> Iterator[Lab]:
    with Lab(mops={"rate_limit_s": RATE_LIMIT_S, "migrate_seq": "window"}) as lab:
        yield lab


@pytest.fixture
def lab(host: Lab) -> Lab:
    """The shared host, nothing left over from the test before."""
    host.wire.take(lambda _: False, 0)
    host.wire.seen.clear()
    return host


@pytest.fixture(scope="module")
def rehash_host() -> Iterator[Lab]:
    with Lab(role="host", rehash={"option_kind": 253, "max_retries": 5, "init_reissues": 3}) as lab:
        yield lab


@pytest.fixture
def mover(rehash_host: Lab) -> Lab:
    """The shared Rehash host, at its first address."""
    home(rehash_host)
    rehash_host.wire.take(lambda _: False, 0)
    rehash_host.wire.seen.clear()
    return rehash_host


@pytest.fixture(params=CARRIAGES)
def carriage(request: pytest.FixtureRequest) -> str:
    return str(request.param)
