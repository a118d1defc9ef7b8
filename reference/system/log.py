# SPDX-License-Identifier: GPL-2.0-or-later
"""The log on standard error: one line an event, never more than a few hundred a second, never blocking."""

import os
import select
import time

LINES_PER_SECOND = 300

_started = time.monotonic()
_window = 0
_written = 0
_suppressed = 0


def start_over() -> None:
    """Count time and lines from now: the process was forked from one that has been running."""
    global _started, _window, _written, _suppressed
    _started, _window, _written, _suppressed = time.monotonic(), 0, 0, 0


def log(text: str) -> None:
    """Write one line; drop and count it when there are too many or when no one reads."""
    global _window, _written, _suppressed
    age = time.monotonic() - _started
    if int(age) != _window:
        _window, _written = int(age), 0
    if _written >= LINES_PER_SECOND or not select.select([], [2], [], 0)[1]:
        _suppressed += 1
        return
    if _suppressed:
        text = f"{text} ({_suppressed} earlier lines suppressed)"
        _suppressed = 0
    _written += 1
    try:
        os.write(2, f"[{age:10.6f}] {text}\n".encode())
    except OSError:
        _suppressed += 1
