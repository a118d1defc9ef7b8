# SPDX-License-Identifier: GPL-2.0-or-later
"""What ends a case before it has judged: disturbed, not applicable, the device or what the machine gives is gone."""

import errno


class Inconclusive(Exception):
    """Tester, path or preamble disturbed the case; `repeat` tells whether another try may do better."""

    def __init__(self, reason: str, *, repeat: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.repeat = repeat


class NotApplicable(Exception):
    """The device does not claim what the case is about; the reason names the line of the profile."""


class DeviceLost(Exception):
    """The DUT died or stopped answering; the run stops and names this as the cause."""


class MachineError(Exception):
    """The machine of the tester does not let the run go on; one line: what, why, what to do. No word on the device."""


_FILES = "raise the limit of open files (ulimit -n), or run fewer test processes (-n)"
_ROOM = "make room there, or choose another folder"
_WRITABLE = "choose a folder that can be written to"
_LIMITS = {
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.ENOMEM: "free memory, or run fewer test processes (-n)",
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EROFS: _WRITABLE,
}
_THREADS = "raise the limit of processes (ulimit -u, or that of the container), or run fewer test processes (-n)"
_NO_THREAD = "can't start new thread"


ENOUGH_FILES = 256
"""Open files that a test process and its device need at the least."""


def check_open_files(limit: int) -> None:
    """Raise MachineError where a process may not open enough files: the device, with the same limit, would fail."""
    if limit < ENOUGH_FILES:
        raise MachineError(f"open files: the limit is {limit}, {ENOUGH_FILES} are needed; {_FILES}")


def machine_error(what: str, error: BaseException) -> MachineError | None:
    """The limit of the machine that an error comes from, None where it comes from none."""
    if isinstance(error, MachineError):
        return error
    if isinstance(error, OSError) and error.errno in _LIMITS:
        return _limit(what, error, _LIMITS[error.errno])
    if isinstance(error, FileNotFoundError) and str(error.strerror).startswith("No usable temporary directory"):
        return _limit(what, error, _ROOM)
    if (isinstance(error, RuntimeError) and str(error) == _NO_THREAD) or isinstance(error, BlockingIOError):
        return MachineError(f"{what}: {error.strerror if isinstance(error, OSError) else error}; {_THREADS}")
    return None


def cannot_write(error: OSError) -> MachineError:
    """A file of the report that cannot be written, whatever the reason."""
    return _limit("the report", error, _LIMITS.get(error.errno or 0, _WRITABLE))


def _limit(what: str, error: OSError, remedy: str) -> MachineError:
    place = f"{error.filename}: " if error.filename else ""
    return MachineError(f"{what}: {place}{error.strerror}; {remedy}")
