# SPDX-License-Identifier: GPL-2.0-or-later
"""What the options of a run ask of its reports: to go on with an earlier run, a bundle, a signature."""

from __future__ import annotations

from pathlib import Path

from reports.bundle import ssh
from reports.folder import BUNDLE
from reports.official import Official
from reports.resume import Earlier, earlier
from reports.seal import Seal


def seal(folder: Path, bundle: str, sign_key: str, profile: Path, lock: Path, official: Official | None = None) -> Seal:
    """The seal that `--bundle` and `--sign-key` ask for; a key without a bundle's path makes one in `folder`.

    Raises SignatureError where the key is none, OSError where the profile or the lock file cannot be read.
    """
    if not bundle and not sign_key:
        return Seal(official=official)
    key = ssh.load_key(Path(sign_key)) if sign_key else None
    path = Path(bundle) if bundle else folder / BUNDLE
    return Seal(path, key, profile.read_bytes(), lock.read_bytes(), official)


def taken_up(folder: Path, *, resume: bool) -> Earlier | None:
    """The run in the folder that is to go on, None for a new one."""
    return earlier(folder) if resume else None
