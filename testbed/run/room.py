# SPDX-License-Identifier: GPL-2.0-or-later
"""How much evidence a run keeps, so that a device that sends or writes without end fills neither disk nor page."""

from collections.abc import Sequence

from testbed.wire.capture import Frame

MOST_OF_A_CASE, LEAST_OF_A_CASE = 3_000, 200
"""Frames of one case that are kept while there is room, and when there is none any more."""

MOST_OF_A_RUN = 200_000
"""Frames that one process has room for: three times what a run of every case holds."""

LONGEST_LOG, SHORTEST_LOG = 512 << 10, 8 << 10
"""Characters of the device's log that one case keeps, and where there is no room any more."""

LOGS_OF_A_RUN = 64 << 20
"""Characters of the device's log that one process has room for."""


class Room:
    """What is left of the room of one process."""

    def __init__(self) -> None:
        self._frames = MOST_OF_A_RUN
        self._log = LOGS_OF_A_RUN

    def frames(self, frames: Sequence[Frame]) -> list[Frame]:
        """Those that are kept: all where there is room, else the first, the last and what decided."""
        most = max(LEAST_OF_A_CASE, min(MOST_OF_A_CASE, self._frames))
        kept = [
            frame for frame, wanted in zip(frames, ends(len(frames), most), strict=True) if wanted or frame.deciding
        ]
        kept = kept[: most + LEAST_OF_A_CASE]
        self._frames -= len(kept)
        return kept

    def log(self, text: str) -> str:
        """The end of a case's log, as much as there is room for; a line says what is missing."""
        most = max(SHORTEST_LOG, min(LONGEST_LOG, self._log))
        self._log -= min(most, len(text))
        left_out = len(text) - most
        return f"({left_out} characters of the log are left out here)\n{text[-most:]}" if left_out > 0 else text


def ends(count: int, most: int) -> list[bool]:
    """Of each of so many things whether it is shown where `most` are: the first half and the last."""
    if count <= most:
        return [True] * count
    return [place < most // 2 or place >= count - most // 2 for place in range(count)]
