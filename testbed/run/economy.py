# SPDX-License-Identifier: GPL-2.0-or-later
"""What every process of a run saves: rounds of the garbage collector, and the kernel's routes that nobody asks for.

And the traceback of whoever interrupts it before it has begun: until pytest is configured a signal simply ends it.
"""

import gc
import signal
import threading
from typing import Any

import pytest
from scapy.config import conf

_THRESHOLDS = 25_000, 20, 20


def pytest_addoption() -> None:
    """Called when this plugin is loaded, before the others are imported."""
    gc.set_threshold(*_THRESHOLDS)
    _replace(signal.default_int_handler, signal.SIG_DFL)
    # Frames name their addresses: Scapy needs no routes to find a source.
    conf.route_autoload = conf.route6_autoload = False


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """From here on the run ends in order."""
    _replace(signal.SIG_DFL, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What has been imported and collected stays to the end."""
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """The process ends: its memory need not be looked through once more, as pytest does for its warnings."""
    gc.freeze()


def _replace(one: Any, other: Any) -> None:
    """What Ctrl-C does; where that is something else already it stays, as in the background of a shell."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is one:
        signal.signal(signal.SIGINT, other)
