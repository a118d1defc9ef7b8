# SPDX-License-Identifier: GPL-2.0-or-later
"""What an Example host does with a greeting: every choice a method, so that a deviation overrides one."""

import struct

HELLO, FAREWELL, ANSWER = 1, 2, 3
_GREETING = struct.Struct("!BBH")


class Greetings:
    """Answers Hello and Farewell."""

    role = "host"

    def answer(self, message: bytes) -> bytes | None:
        """The answer to a message, None where there is none."""
        if len(message) < _GREETING.size:
            return None
        kind, _, number = _GREETING.unpack_from(message)
        return self.greeting(number) if self.is_answered(kind) else None

    def is_answered(self, kind: int) -> bool:
        """Whether a greeting of this kind is answered (sections 1 and 2)."""
        return kind in (HELLO, FAREWELL)

    def greeting(self, number: int) -> bytes:
        """The Answer with a Number (section 1)."""
        return _GREETING.pack(ANSWER, 0, number)
