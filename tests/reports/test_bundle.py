# SPDX-License-Identifier: GPL-2.0-or-later
"""The bundle of a run: what is in it, who has signed it, and that whatever is changed in it is found."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reports.bundle import ssh
from reports.bundle.archive import MANIFEST, SIGNATURE, Changed, write_bundle
from reports.bundle.verify import verify_bundle
from reports.cases import InMemory
from reports.certificate import write_certificate
from reports.files import ResultsError
from reports.folder import RESULTS
from reports.junit import write_junit
from reports.model import Results, Verdict
from tests.reports.samples import case, requirement, results

KEYGEN = shutil.which("ssh-keygen")
CAPTURE = b"\x0a\x0d\x0d\x0a a capture"
EVIDENCE = "evidence/a.pcapng"


def made_key(path: Path, kind: str = "ed25519") -> Path:
    """A private key as ssh-keygen keeps it."""
    key: ssh.PrivateKey
    key = Ed25519PrivateKey.generate() if kind == "ed25519" else rsa.generate_private_key(65537, 2048)
    form = serialization.PrivateFormat.OpenSSH
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return path


def run() -> Results:
    """A run with a broken must, a passed one and a capture."""
    digest = hashlib.sha256(CAPTURE).hexdigest()
    judged = [
        case("a[ipff]", Verdict.FAIL, ["MOPS-4.1-01"], evidence=EVIDENCE, evidence_sha256=digest),
        case("b[ipff]", Verdict.PASS, ["MOPS-4.1-02"]),
    ]
    return results(judged, [requirement(1), requirement(2)])


def bundled(folder: Path, key: ssh.PrivateKey | None = None) -> Path:
    """The bundle of that run."""
    made = run()
    (folder / "evidence").mkdir(parents=True, exist_ok=True)
    (folder / EVIDENCE).write_bytes(CAPTURE)
    made.write(folder / RESULTS)
    write_certificate(made, folder)
    write_junit(made, folder / "junit.xml", InMemory(made.cases))
    path = folder / "bundle.zip"
    return write_bundle(path, folder, made, InMemory(made.cases), profile=b"[dut]\n", lock=b"scapy\n", key=key)


def rewritten(path: Path, changes: dict[str, bytes | None]) -> Path:
    """The archive with members that are changed, removed (None) or added."""
    with zipfile.ZipFile(path) as archive:
        members: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (members | changes).items():
            if content is not None:
                archive.writestr(name, content)
    return path


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    assert bundled(tmp_path / "one").read_bytes() == bundled(tmp_path / "other").read_bytes()


def test_a_bundle_that_nobody_touched_is_sound(tmp_path: Path) -> None:
    found = verify_bundle(bundled(tmp_path))
    assert (found.wrong, found.signature) == ([], "unsigned")
    assert found.results == run()


def test_the_manifest_is_an_in_toto_statement(tmp_path: Path) -> None:
    with zipfile.ZipFile(bundled(tmp_path)) as archive:
        statement = json.loads(archive.read(MANIFEST))
        members = set(archive.namelist()) - {MANIFEST}
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert {one["name"] for one in statement["subject"]} == members
    predicate = statement["predicate"]
    assert predicate["result"] == "FAILED"
    assert (predicate["failedTests"], predicate["passedTests"]) == ([run().cases[0].id], [run().cases[1].id])
    assert "profile.toml" in {one["name"] for one in predicate["configuration"]}


@pytest.mark.parametrize("name", [RESULTS, "certificate.html", "profile.toml", EVIDENCE, "requirements.lock"])
def test_one_altered_byte_is_found(tmp_path: Path, name: str) -> None:
    path = bundled(tmp_path)
    with zipfile.ZipFile(path) as archive:
        content = bytearray(archive.read(name))
    content[len(content) // 2] ^= 1
    assert (
        f"{name}: has changed: its SHA-256 is not that of the manifest"
        in verify_bundle(rewritten(path, {name: bytes(content)})).wrong
    )


def test_any_byte_of_the_archive_itself_that_is_altered_is_found(tmp_path: Path) -> None:
    path = bundled(tmp_path, ssh.load_key(made_key(tmp_path / "key")))
    content = path.read_bytes()
    for place in range(0, len(content), len(content) // 97):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with contextlib.suppress(ResultsError):  # it is no archive any more, or no bundle
            assert verify_bundle(path).wrong, place


def test_a_removed_and_an_added_case_are_named(tmp_path: Path) -> None:
    made = run()
    removed, kept = made.cases
    added = case("c[ipff]", Verdict.PASS, ["MOPS-4.1-02"])
    made.cases = [kept, added]
    made.write(tmp_path / "forged.json")
    wrong = verify_bundle(rewritten(bundled(tmp_path), {RESULTS: (tmp_path / "forged.json").read_bytes()})).wrong
    assert f"case {removed.id}: was removed" in wrong
    assert f"case {added.id}: was added" in wrong


def test_a_fail_that_was_turned_to_pass_is_found_though_all_digests_are_made_again(tmp_path: Path) -> None:
    made = run()
    made.cases = [made.cases[0].model_copy(update={"verdict": Verdict.PASS}), made.cases[1]]
    made.write(tmp_path / "forged.json")
    forged = (tmp_path / "forged.json").read_bytes()
    path = bundled(tmp_path)
    with zipfile.ZipFile(path) as archive:
        before = hashlib.sha256(archive.read(RESULTS)).hexdigest()
        manifest = archive.read(MANIFEST).replace(before.encode(), hashlib.sha256(forged).hexdigest().encode())
    wrong = verify_bundle(rewritten(path, {RESULTS: forged, MANIFEST: manifest})).wrong
    assert f"case {made.cases[0].id}: was FAIL, is PASS" in wrong
    assert "MOPS-4.1-01: says FAIL, its cases say PASS" in wrong


def test_a_file_that_is_missing_or_added_is_named(tmp_path: Path) -> None:
    path = rewritten(bundled(tmp_path), {EVIDENCE: None, "evidence/more.pcapng": b""})
    wrong = verify_bundle(path).wrong
    assert f"{EVIDENCE}: is missing" in wrong
    assert "evidence/more.pcapng: was added: the manifest does not name it" in wrong


def test_a_capture_that_something_changed_ends_the_making(tmp_path: Path) -> None:
    bundled(tmp_path)
    (tmp_path / EVIDENCE).write_bytes(b"another")
    made = run()
    with pytest.raises(Changed, match="has changed since the run has written it"):
        write_bundle(tmp_path / "b.zip", tmp_path, made, InMemory(made.cases), profile=b"", lock=b"")
    assert not (tmp_path / "b.zip").exists()


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_signature_says_who_and_fits_this_manifest_alone(tmp_path: Path, kind: str) -> None:
    key = ssh.load_key(made_key(tmp_path / "key", kind))
    path = bundled(tmp_path, key)
    (tmp_path / "signers").write_text(f'# the lab\nlab@example.org namespaces="roamproof" {ssh.public_line(key)}\n')
    signers = ssh.allowed_signers(tmp_path / "signers")
    found = verify_bundle(path, signers)
    assert found.wrong == []
    assert found.signature.startswith("signed by lab@example.org")
    with zipfile.ZipFile(path) as archive:
        manifest = archive.read(MANIFEST)
    forged = verify_bundle(rewritten(path, {MANIFEST: manifest.replace(b'"FAILED"', b'"PASSED"')}), signers)
    assert forged.wrong[0] == "signature: the signature is not that of this manifest"


def test_a_key_that_is_not_allowed_or_no_signature_is_wrong_where_signers_are_given(tmp_path: Path) -> None:
    key, other = (ssh.load_key(made_key(tmp_path / name)) for name in ("key", "other"))
    (tmp_path / "signers").write_text(f'lab {ssh.public_line(other)}\nlab namespaces="git" {ssh.public_line(key)}\n')
    signers = ssh.allowed_signers(tmp_path / "signers")
    assert "who is not among the allowed signers" in verify_bundle(bundled(tmp_path, key), signers).wrong[0]
    assert verify_bundle(bundled(tmp_path), signers).wrong == ["unsigned: there is no signature to verify"]


@pytest.mark.skipif(KEYGEN is None, reason="no ssh-keygen on this machine")
def test_a_key_that_cannot_be_used_is_refused_in_a_line(tmp_path: Path) -> None:
    subprocess.run([str(KEYGEN), "-q", "-t", "ed25519", "-N", "secret", "-f", tmp_path / "hidden"], check=True)
    (tmp_path / "none").write_text("no key")
    for name, words in (("hidden", "has a passphrase"), ("none", "no private key"), ("missing", "cannot be read")):
        with pytest.raises(ssh.SignatureError, match=words):
            ssh.load_key(tmp_path / name)


@pytest.mark.skipif(KEYGEN is None, reason="no ssh-keygen on this machine")
@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_ssh_keygen_alone_verifies_it(tmp_path: Path, kind: str) -> None:
    key = ssh.load_key(made_key(tmp_path / "key", kind))
    (tmp_path / "signers").write_text(f"lab@example.org {ssh.public_line(key)}\n")
    with zipfile.ZipFile(bundled(tmp_path, key)) as archive:
        manifest = archive.read(MANIFEST)
        archive.extract(SIGNATURE, tmp_path)
    words = ["-Y", "verify", "-f", "signers", "-I", "lab@example.org", "-n", "roamproof", "-s", SIGNATURE]
    for content, code in ((manifest, 0), (manifest.replace(b"FAILED", b"PASSED"), 255)):
        done = subprocess.run([str(KEYGEN), *words], cwd=tmp_path, input=content, capture_output=True, check=False)
        assert done.returncode == code
