# SPDX-License-Identifier: GPL-2.0-or-later
from collections.abc import Iterator

import pytest
from hypothesis import settings
from scapy.config import conf

from layers import msocks

# The machine may be busy: no property here is about time.
settings.register_profile("layers", deadline=None)
settings.load_profile("layers")


@pytest.fixture(autouse=True, scope="package")
def strict_dissection() -> Iterator[None]:
    """A dissector that raises is a failure here, not a Raw payload."""
    before, conf.debug_dissector = conf.debug_dissector, True
    msocks.bind_port(msocks.DEFAULT_PORT)
    yield
    conf.debug_dissector = before
