# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a bundle is what it was when it was made: signature, digests, cases, and that verdicts follow from cases."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from reports.bundle import ssh, statement
from reports.bundle.archive import MANIFEST, SIGNATURE, evidence_name, is_as_made
from reports.cases import InMemory
from reports.files import ResultsError, one_line
from reports.folder import RESULTS
from reports.model import Results, aggregate
from reports.verdicts import RunVerdict, Verdict


@dataclass
class Verification:
    """What was found: who signed, what is wrong (nothing where the bundle is sound), and the results."""

    signature: str
    wrong: list[str] = field(default_factory=list)
    results: Results | None = None
    files: int = 0


def verify_bundle(path: Path, signers: list[ssh.Signer] | None = None) -> Verification:
    """Look at a bundle. With `signers` it has to be signed by one of them. ResultsError if it is no bundle at all."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if MANIFEST not in names:
                raise ResultsError(f"{path}: has no {MANIFEST}: it is no bundle of a run")
            manifest = archive.read(MANIFEST)
            signature = archive.read(SIGNATURE).decode("ascii", "replace") if SIGNATURE in names else ""
            found = _signature(manifest, signature, signers)
            _files(archive, manifest, found)
            if not found.wrong and not is_as_made(archive, path):
                found.wrong.append("bytes of the archive that belong to no file have changed")
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise ResultsError(f"{path}: cannot be read: {error}") from None
    return found


def _signature(manifest: bytes, signature: str, signers: list[ssh.Signer] | None) -> Verification:
    if not signature:
        return Verification("unsigned", [] if signers is None else ["unsigned: there is no signature to verify"])
    try:
        if signers is not None:
            signer = ssh.verify(manifest, signature, signers)
            return Verification(f"signed by {signer.principal} ({ssh.fingerprint(signer.blob)})")
        public = ssh.check_alone(manifest, signature)
    except (ssh.SignatureError, ValueError) as error:
        return Verification("not verified", [f"signature: {error}"])
    return Verification(
        f"signed with {ssh.fingerprint(public)}; --allowed-signers says whether that is who it should be"
    )


def _files(archive: zipfile.ZipFile, manifest: bytes, found: Verification) -> None:
    try:
        digests, verdicts = statement.read(manifest)
    except ValueError as error:
        found.wrong.append(f"{MANIFEST}: {error}")
        return
    names = archive.namelist()
    found.wrong += [f"{name}: is in the archive twice" for name in sorted(set(names)) if names.count(name) > 1]
    found.wrong += [f"{name}: is missing" for name in digests if name not in names]
    unknown = set(names) - set(digests) - {MANIFEST, SIGNATURE}
    found.wrong += [f"{name}: was added: the manifest does not name it" for name in sorted(unknown)]
    contents: dict[str, str] = {}
    for name in digests:
        if name in names:
            contents[name] = _digest(archive, name)
            if contents[name] != digests[name]:
                found.wrong.append(f"{name}: has changed: its SHA-256 is not that of the manifest")
    found.files = len(digests)
    if contents.get(RESULTS):
        found.wrong += _results(archive.read(RESULTS), verdicts, contents, found)


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    """The digest of a member; empty where its bytes are damaged."""
    try:
        return hashlib.sha256(archive.read(name)).hexdigest()
    except (zipfile.BadZipFile, zlib.error):
        return ""


def _results(
    content: bytes, verdicts: Mapping[str, str], captures: Mapping[str, str], found: Verification
) -> Iterator[str]:
    """What is wrong with the results in themselves, and with the captures that they name."""
    try:
        results = found.results = Results.model_validate_json(content)
    except ValidationError as error:
        yield f"{RESULTS}: {one_line(error)}"
        return
    except (json.JSONDecodeError, ValueError) as error:
        yield f"{RESULTS}: {error}"
        return
    now = {case.id: str(case.verdict) for case in results.cases}
    yield from (f"case {name}: was removed" for name in verdicts if name not in now)
    yield from (f"case {name}: was added" for name in now if name not in verdicts)
    for name, verdict in now.items():
        if verdicts.get(name, verdict) != verdict:
            yield f"case {name}: was {verdicts[name]}, is {verdict}"
    for case in results.cases:
        if case.evidence and captures.get(case.evidence, case.evidence_sha256) != case.evidence_sha256:
            yield f"case {case.id}: {case.evidence} is not the capture that it was judged by"
    named = {case.evidence for case in results.cases}
    yield from (f"{name}: is no case's capture" for name in captures if evidence_name(name) and name not in named)
    for before, after in zip(
        results.requirements, aggregate(results.requirements, InMemory(results.cases).index), strict=True
    ):
        if before.verdict != after.verdict:
            yield f"{before.id}: says {before.verdict}, its cases say {after.verdict}"
    if results.verdict is RunVerdict.CONFORMANT and Verdict.FAIL in {case.verdict for case in results.cases}:
        yield "the verdict is conformant, though a case is FAIL"
