# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run adds when it is over: the bundle of its evidence, signed where there is a key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reports.bundle import ssh
from reports.bundle.archive import write_bundle
from reports.cases import Cases
from reports.certificate import UNSIGNED
from reports.model import Results
from reports.official import Official


@dataclass(frozen=True)
class Seal:
    """Where the bundle goes, None for no bundle, what is in it beside the run's own files, what makes it official."""

    path: Path | None = None
    key: ssh.PrivateKey | None = None
    profile: bytes = b""
    lock: bytes = b""
    official: Official | None = None

    @property
    def line(self) -> str:
        """What page one of the certificate says of the signature."""
        if self.key is None or self.path is None:
            return UNSIGNED
        return f"in {self.path.name}, with the key {ssh.fingerprint(ssh.public_blob(self.key))}"

    def close(self, folder: Path, results: Results, cases: Cases) -> None:
        """Write the pages of an official run and the bundle of what lies in the folder. OSError where that fails."""
        if self.official is not None:
            self.official.write(folder, results, cases)
        if self.path is not None:
            write_bundle(self.path, folder, results, cases, profile=self.profile, lock=self.lock, key=self.key)
