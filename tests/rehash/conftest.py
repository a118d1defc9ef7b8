# SPDX-License-Identifier: GPL-2.0-or-later
"""One Rehash host for all tests of a module that do not need their own."""

from collections.abc import Iterator

import pytest

from tests.lab.host import Lab
from tests.rehash.peer import home


@pytest.fixture(scope="module")
def rehash_host() -> Iterator[Lab]:
    with Lab(protocol="rehash", role="host", rehash={"option_kind": 253, "max_retries": 5, "init_reissues": 3}) as lab:
        yield lab


@pytest.fixture
def mover(rehash_host: Lab) -> Lab:
    """The shared Rehash host, at its first address."""
    home(rehash_host)
    rehash_host.wire.take(lambda _: False, 0)
    rehash_host.wire.seen.clear()
    return rehash_host
