# SPDX-License-Identifier: GPL-2.0-or-later
"""One direction of a connection: bytes that have to be sent, and bytes that have been and may have to be again.

Positions count from the first byte of the connection and never wrap. Nothing is copied: the pieces that came from one
socket are those that go to the other.
"""

from collections import deque


class Stream:
    """The bytes from `start` to `end` are kept; the next one to be sent is at `position`."""

    __slots__ = ("_at", "_pieces", "_within", "end", "highest", "position", "start")

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._at = self._within = 0  # the piece of `position`, and where in it
        self.start = self.position = self.end = self.highest = 0

    @property
    def unsent(self) -> int:
        """Bytes that still have to be sent."""
        return self.end - self.position

    def append(self, data: bytes) -> None:
        """Bytes have come."""
        self._pieces.append(data)
        self.end += len(data)

    def piece(self) -> memoryview:
        """Some of the bytes that have to be sent next; there are some."""
        return memoryview(self._pieces[self._at])[self._within :]

    def sent(self, count: int) -> None:
        """So many of that piece have been sent."""
        self.position += count
        self._within += count
        if self._within == len(self._pieces[self._at]):
            self._at, self._within = self._at + 1, 0
        self.highest = max(self.highest, self.position)

    def forget(self, below: int) -> None:
        """Bytes below a position need not be kept; whole pieces go."""
        while self._at and self.start + len(self._pieces[0]) <= below:
            self.start += len(self._pieces.popleft())
            self._at -= 1

    def rewind(self, position: int) -> None:
        """Go on sending from a position that is kept."""
        if not self.start <= position <= self.end:
            raise ValueError(f"position {position} is not from {self.start} to {self.end}")
        self.position, self._at = position, 0
        self._within = position - self.start
        while self._at < len(self._pieces) and self._within >= len(self._pieces[self._at]):
            self._within -= len(self._pieces[self._at])
            self._at += 1
