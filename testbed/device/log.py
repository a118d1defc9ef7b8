# SPDX-License-Identifier: GPL-2.0-or-later
"""The log of a device: what it writes to standard error, as much of it as anybody can read."""

import os
import re
import select
import threading
import time
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import IO, NamedTuple

from testbed.device.untrusted import Line, Lines, read_text

_KEPT_LINES = 20_000
_KEPT_BYTES = 16 << 20
_LONGEST_LINE = 2_000
_LAST_LINES, _OF_A_LAST_LINE = 8, 100
_FINAL_LOG_S = 0.5
_PART = 1 << 16

_BURST_BYTES = 4 << 20
_BYTES_A_SECOND = 2 << 20
_COST_OF_A_LINE = 100


class _Entry(NamedTuple):
    ns: int
    text: str
    is_note: bool = False


class DeviceLog:
    """The standard error of a device, line by line with the time of arrival, every character of it printable.

    The last 20 000 lines and 16 MiB are kept, of a line 2 000 bytes, in the long run 2 MiB a second; where anything was
    left out, a line says so. Reads to the end even where nothing is kept, so that a verbose device is never held up.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._entries: deque[_Entry] = deque()
        self._size = 0
        self._forgotten = 0
        self._lines = Lines(_LONGEST_LINE)
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, args=(stream,), name="device log", daemon=True)
        self._reader.start()

    def between(self, start_ns: int, end_ns: int, addresses: frozenset[str] = frozenset()) -> str:
        """Lines that arrived between two stamps; with `addresses`, those that name one of them."""
        with self._lock:
            first = bisect_left(self._entries, start_ns, key=_stamp)
            last = bisect_right(self._entries, end_ns, key=_stamp)
            entries = list(islice(self._entries, first, last))
            lines = [] if first else self._told_forgotten(entries)
        if addresses:
            named = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, addresses))})(?!\w|\.\w)")
            entries = [one for one in entries if one.is_note or named.search(one.text)]
        return "\n".join([*lines, *(one.text for one in entries)])

    def tail(self) -> str:
        """The last lines, shortened, waiting a moment for a device that has just died to have said why."""
        self._reader.join(timeout=_FINAL_LOG_S)
        with self._lock:
            last = list(self._entries)[-_LAST_LINES:]
        return "\n".join(
            one.text if len(one.text) <= _OF_A_LAST_LINE else f"{one.text[:_OF_A_LAST_LINE]} ..." for one in last
        )

    def _told_forgotten(self, entries: Iterable[_Entry]) -> list[str]:
        """The line for what was there before the first of these entries and had to go."""
        return [f"({self._forgotten} earlier lines of the log are not kept)"] if self._forgotten and entries else []

    def _read(self, stream: IO[bytes]) -> None:
        allowed, since, left_out = float(_BURST_BYTES), time.monotonic(), 0
        poller = select.poll()
        poller.register(stream, select.POLLIN)
        with stream, open(os.devnull, "wb", buffering=0) as nowhere:
            while poller.poll():
                now = time.monotonic()
                allowed, since = min(_BURST_BYTES, allowed + (now - since) * _BYTES_A_SECOND), now
                if allowed <= 0 or (left_out and allowed < _BYTES_A_SECOND):
                    # The kernel moves it: a flood costs the tester next to nothing.
                    moved = os.splice(stream.fileno(), nowhere.fileno(), _PART)
                    left_out += moved
                    if moved:
                        continue
                    break
                self._note(left_out)
                left_out = 0
                if not (data := os.read(stream.fileno(), _PART)):
                    break
                allowed -= len(data) + _COST_OF_A_LINE * data.count(b"\n")
                for line in self._lines.take(data):
                    self._keep(line)
        self._note(left_out)
        if self._lines.size:
            self._keep(self._lines.end())

    def _note(self, left_out: int) -> None:
        """Say that so many bytes were left out, in the middle of a line perhaps."""
        if left_out:
            self._keep(self._lines.end())
            self._append(f"({left_out} bytes of the log are left out here: more came than anybody reads)", is_note=True)

    def _keep(self, line: Line) -> None:
        more = f" (and {line.cut} bytes more of this line)" if line.cut else ""
        self._append(read_text(line.content) + more)

    def _append(self, text: str, *, is_note: bool = False) -> None:
        with self._lock:
            self._entries.append(_Entry(time.time_ns(), text, is_note))
            self._size += len(text)
            while len(self._entries) > _KEPT_LINES or self._size > _KEPT_BYTES:
                self._size -= len(self._entries.popleft().text)
                self._forgotten += 1


def _stamp(entry: _Entry) -> int:
    return entry.ns
