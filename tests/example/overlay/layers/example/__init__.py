# SPDX-License-Identifier: GPL-2.0-or-later
"""Example: greetings between hosts."""

from layers.example.packets import ANSWER, FAREWELL, HELLO, Greeting

__all__ = ["ANSWER", "FAREWELL", "HELLO", "Greeting"]
