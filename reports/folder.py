# SPDX-License-Identifier: GPL-2.0-or-later
"""The folder of a report holds one run: an earlier run's is kept beside it, what no run wrote stays untouched."""

from __future__ import annotations

import fcntl
import itertools
import os
from pathlib import Path

from reports.journal import JOURNAL

RESULTS = "results.json"
CERTIFICATE = "certificate.html"
JUNIT = "junit.xml"
EVIDENCE = "evidence"
BUNDLE = "bundle.zip"

OFFICIAL = ("declaration.html", "report.html")
"""What an official run has beside its certificate: the declaration, the protocol conformance test report."""

_OF_A_RUN = {JOURNAL, RESULTS, CERTIFICATE, JUNIT, EVIDENCE, BUNDLE, *OFFICIAL, "coverage.json", "coverage.html"}


class FolderError(ValueError):
    """The folder cannot be a run's. The message is one line: folder, what is in the way, what is allowed."""


class ReportFolder:
    """A new and empty folder at `path`, for this run alone while it goes on.

    With `goes_on` it is that of the run that went before, as it is. An earlier run's is renamed to `path.1`, or the
    first number that is free. FolderError where `path` holds anything that no run wrote, or belongs to a run that goes
    on; OSError where it cannot be made.
    """

    def __init__(self, path: Path, *, goes_on: bool = False) -> None:
        self.path = path
        self._claim()
        if goes_on:
            return
        if foreign := sorted(entry.name for entry in path.iterdir() if not _is_of_a_run(entry.name)):
            more = f" and {len(foreign) - 1} more" if foreign[1:] else ""
            raise FolderError(
                f"--report {path}: holds {foreign[0]}{more}, which no run has written; "
                "allowed is a folder that is new, empty or an earlier run's"
            )
        if any(path.iterdir()):
            if not path.name or path.is_symlink():
                raise FolderError(
                    f"--report {path}: holds an earlier run; allowed is the name of a folder, to keep both"
                )
            self._keep_earlier()
            self._claim()

    def release(self) -> None:
        """Let another run have the folder; the end of the process does the same."""
        os.close(self._lock)

    def _claim(self) -> None:
        """Make the folder and lock it; the lock ends with its owner, however that ends."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileExistsError, NotADirectoryError):
            raise FolderError(f"--report {self.path}: is not a folder; allowed is a folder, or a new name") from None
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(folder)
            raise FolderError(
                f"--report {self.path}: another run that goes on writes there; allowed is another folder"
            ) from None
        self._lock = folder

    def _keep_earlier(self) -> None:
        for number in itertools.count(1):
            earlier = self.path.with_name(f"{self.path.name}.{number}")
            if not earlier.exists():
                break
        self.path.rename(earlier)
        self.release()


def _is_of_a_run(name: str) -> bool:
    """Also where it is half a file that a killed run has left."""
    return name in _OF_A_RUN or name.startswith(tuple(f".{one}." for one in _OF_A_RUN))
