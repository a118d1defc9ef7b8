# SPDX-License-Identifier: GPL-2.0-or-later
"""What every process of a run saves: rounds of the garbage collector, and the kernel's routes that nobody asks for."""

import gc

import pytest
from scapy.config import conf

_THRESHOLDS = 25_000, 20, 20


def pytest_addoption() -> None:
    """Called when this plugin is loaded, before the others are imported."""
    gc.set_threshold(*_THRESHOLDS)
    # Frames name their addresses: Scapy needs no routes to find a source.
    conf.route_autoload = conf.route6_autoload = False


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What has been imported and collected stays to the end."""
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """The process ends: its memory need not be looked through once more, as pytest does for its warnings."""
    gc.freeze()
