# SPDX-License-Identifier: GPL-2.0-or-later
"""The fixture under which layers are tested: a dissector that raises is a failure, not a Raw payload."""

from collections.abc import Iterator

import pytest
from hypothesis import settings
from scapy.config import conf

from layers.binding import bind_defaults

# The machine may be busy: no property here is about time.
settings.register_profile("layers", deadline=None)
settings.load_profile("layers")


@pytest.fixture(scope="module")
def strict_dissection() -> Iterator[None]:
    before, conf.debug_dissector = conf.debug_dissector, True
    bind_defaults()
    yield
    conf.debug_dissector = before
