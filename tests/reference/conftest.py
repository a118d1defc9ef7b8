# SPDX-License-Identifier: GPL-2.0-or-later
"""One host for all tests of a module that do not need their own."""

from collections.abc import Iterator

import pytest

from tests.lab.host import Lab
from tests.lab.wire import NETWORKS

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


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> str:
    return str(request.param)
