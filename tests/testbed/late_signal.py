# SPDX-License-Identifier: GPL-2.0-or-later
"""A plugin: when a run ends early it is asked to end once more, where pytest itself does not expect that any more."""

import os
import signal


def pytest_keyboard_interrupt() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
