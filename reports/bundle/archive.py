# SPDX-License-Identifier: GPL-2.0-or-later
"""The archive of a run: a ZIP whose bytes depend on nothing but the files in it, which are not compressed.

Every file is read once; its digest is that of the bytes in memory that go into the archive.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

from reports.bundle import ssh, statement
from reports.cases import Cases
from reports.entries import CaseResult
from reports.files import ResultsError
from reports.folder import CERTIFICATE, EVIDENCE, JUNIT, OFFICIAL, RESULTS
from reports.model import Results

MANIFEST, SIGNATURE = "manifest.json", "manifest.json.sig"
PROFILE, LOCK, ENVIRONMENT = "profile.toml", "requirements.lock", "environment.json"

_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16


class Changed(ResultsError):
    """A file is not what was written: something else has changed it since."""


def write_bundle(
    path: Path,
    folder: Path,
    results: Results,
    cases: Cases,
    *,
    profile: bytes,
    lock: bytes,
    key: ssh.PrivateKey | None = None,
) -> Path:
    """Put what lies in the report `folder` and belongs to the results into an archive at `path`, in one step.

    `profile` and `lock` are the contents of the profile and of the lock file that the run was made with. With `key` the
    manifest is signed. Raises `Changed` where a capture is not what the run has written, OSError where a file is
    missing or nothing can be written.
    """
    digests: dict[str, str] = {}
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as archive:
            for member, content in _contents(folder, cases, profile, lock, results):
                digests[member] = hashlib.sha256(content).hexdigest()
                _add(archive, member, content)
            manifest = statement.manifest(results, cases.index, digests)
            _add(archive, MANIFEST, manifest)
            if key is not None:
                _add(archive, SIGNATURE, ssh.sign(manifest, key).encode())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def _contents(folder: Path, cases: Cases, profile: bytes, lock: bytes, results: Results) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files, in the order of the archive."""
    yield RESULTS, (folder / RESULTS).read_bytes()
    for name in (CERTIFICATE, JUNIT, *(name for name in OFFICIAL if (folder / name).exists())):
        yield name, (folder / name).read_bytes()
    yield PROFILE, profile
    yield LOCK, lock
    yield ENVIRONMENT, _environment(results)
    for case in sorted(cases, key=lambda case: case.id):
        if case.evidence:
            yield case.evidence, capture(folder, case)


def capture(folder: Path, case: CaseResult) -> bytes:
    """The capture of a case, as the run has written it. Raises `Changed` where it is another."""
    assert case.evidence is not None
    content = (folder / case.evidence).read_bytes()
    if case.evidence_sha256 and hashlib.sha256(content).hexdigest() != case.evidence_sha256:
        raise Changed(f"{folder / case.evidence}: has changed since the run has written it")
    return content


def _environment(results: Results) -> bytes:
    """The tester's machine and the packages that the run was made with."""
    packages = {one.metadata["Name"]: one.version for one in distributions()}
    content = {"tester": results.tester.model_dump(mode="json"), "packages": packages, "command": results.command}
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_STORED
    info.external_attr = _MODE
    info.create_system = 3
    archive.writestr(info, content)


def is_as_made(archive: zipfile.ZipFile, path: Path) -> bool:
    """Whether the archive at `path` is, byte by byte, the one that is made of what it holds."""
    again = io.BytesIO()
    with zipfile.ZipFile(again, "w") as other:
        for name in archive.namelist():
            _add(other, name, archive.read(name))
    return again.getvalue() == path.read_bytes()


def evidence_name(name: str) -> bool:
    """Whether a member of the archive is a capture."""
    return name.startswith(f"{EVIDENCE}/")
