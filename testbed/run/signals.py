# SPDX-License-Identifier: GPL-2.0-or-later
"""Signals that ask a run to end: the first one ends it as Ctrl-C does, and what comes after that changes nothing."""

import signal
from collections.abc import Callable
from types import FrameType


def take_interrupts() -> None:
    """Let SIGTERM end the run as SIGINT does: results are written, devices end. A second one of either is nothing."""
    _on_interrupt(_interrupt)


def ignore_interrupts() -> None:
    """The run is at its end, or has been asked to end before: what it does then is done to the end."""
    _on_interrupt(signal.SIG_IGN)


def _interrupt(number: int, frame: FrameType | None) -> None:
    ignore_interrupts()
    raise KeyboardInterrupt(signal.Signals(number).name)


def _on_interrupt(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)
