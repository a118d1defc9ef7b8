# SPDX-License-Identifier: GPL-2.0-or-later
"""The folder for a run's temporary files. One that a killed run has left is removed by the next run."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

_PREFIX = "roamproof-run-"
_YOUNG_S = 60.0
"""Between its making and its locking a folder belongs to nobody, and yet it does."""


class Scratch:
    """A folder of this process, locked as long as the process lives. OSError where none can be made."""

    def __init__(self) -> None:
        _remove_left_behind()
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = _opened(self.path)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Remove it with what is in it. A second call does nothing."""
        if self._lock >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1


def _remove_left_behind() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        # Another's, or gone meanwhile, or locked: not ours to remove.
        with contextlib.suppress(OSError):
            lock = _opened(folder)
            try:
                facts = os.fstat(lock)
                if facts.st_uid == os.geteuid() and time.time() - facts.st_mtime > _YOUNG_S:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder)
            finally:
                os.close(lock)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
