# SPDX-License-Identifier: GPL-2.0-or-later
"""SSH signatures of files, as `ssh-keygen -Y sign` and `-Y verify` make and check them (OpenSSH's PROTOCOL.sshsig).

A signature covers a namespace, which keeps it from being used for anything else, and the SHA-512 of the message.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
import textwrap
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

NAMESPACE = "roamproof"

_MAGIC, _VERSION, _HASH = b"SSHSIG", 1, b"sha512"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_ED25519, _RSA, _RSA_SIGNATURE = b"ssh-ed25519", b"ssh-rsa", b"rsa-sha2-512"

PrivateKey = Ed25519PrivateKey | rsa.RSAPrivateKey


class SignatureError(ValueError):
    """A key, a list of signers or a signature that does not do. The message is one line."""


class Signer(NamedTuple):
    """A line of a file of allowed signers: who, and the public key as SSH has it in base64."""

    principal: str
    blob: bytes


def load_key(path: Path) -> PrivateKey:
    """The private key in a file that ssh-keygen made, one without a passphrase."""
    try:
        key = serialization.load_ssh_private_key(path.read_bytes(), None)
    except OSError as error:
        raise SignatureError(f"{path}: cannot be read: {error.strerror or error}") from None
    except TypeError:
        raise SignatureError(f"{path}: has a passphrase; allowed is a key without, made for signing alone") from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SignatureError(f"{path}: no private key that can be used: {error}; allowed is {_ALLOWED}") from None
    if not isinstance(key, PrivateKey):
        raise SignatureError(f"{path}: a key of another kind; allowed is {_ALLOWED}")
    return key


_ALLOWED = "an SSH key, made by `ssh-keygen -t ed25519` (or rsa)"


def sign(message: bytes, key: PrivateKey) -> str:
    """The signature of `message` in the armour that `ssh-keygen -Y verify` reads."""
    covered = _covered(message)
    if isinstance(key, Ed25519PrivateKey):
        kind, raw = _ED25519, key.sign(covered)
    else:
        kind, raw = _RSA_SIGNATURE, key.sign(covered, padding.PKCS1v15(), hashes.SHA512())
    blob = _MAGIC + struct.pack(">I", _VERSION)
    blob += b"".join(map(_string, (public_blob(key), NAMESPACE.encode(), b"", _HASH, _string(kind) + _string(raw))))
    return "\n".join([_BEGIN, *textwrap.wrap(base64.b64encode(blob).decode(), 70), _END, ""])


def verify(message: bytes, signature: str, signers: list[Signer]) -> Signer:
    """Who of `signers` has signed `message`. SignatureError where nobody has."""
    public, kind, raw = _parse(signature)
    signer = next((one for one in signers if one.blob == public), None)
    if signer is None:
        raise SignatureError(f"signed by {fingerprint(public)}, who is not among the allowed signers")
    check(message, public, kind, raw)
    return signer


def check_alone(message: bytes, signature: str) -> bytes:
    """The public key that a signature names and fits, whoever that is. SignatureError where it does not fit."""
    public, kind, raw = _parse(signature)
    check(message, public, kind, raw)
    return public


def check(message: bytes, public: bytes, kind: bytes, raw: bytes) -> None:
    """SignatureError unless `raw` is this key's signature of the message."""
    key_type, _ = _take(public)
    key = serialization.load_ssh_public_key(key_type + b" " + base64.b64encode(public))
    try:
        if isinstance(key, Ed25519PublicKey) and kind == _ED25519:
            key.verify(raw, _covered(message))
        elif isinstance(key, rsa.RSAPublicKey) and kind == _RSA_SIGNATURE:
            key.verify(raw, _covered(message), padding.PKCS1v15(), hashes.SHA512())
        else:
            raise SignatureError(f"signed with {kind.decode('ascii', 'replace')}; allowed are ssh-ed25519 and {_RSA!r}")
    except InvalidSignature:
        raise SignatureError("the signature is not that of this manifest") from None


def allowed_signers(path: Path) -> list[Signer]:
    """The keys of a file of allowed signers (ssh-keygen(1)) that may sign in the namespace of certificates."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SignatureError(f"{path}: cannot be read: {error}") from None
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words = line.split()
        place = next((at for at, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-", "sk-"))), 0)
        options = {key: value.strip('"') for key, _, value in (word.partition("=") for word in words[1:place])}
        try:
            blob = base64.b64decode(words[place + 1], validate=True)
        except (IndexError, binascii.Error):
            raise SignatureError(f"{path}: line {number}: allowed is PRINCIPAL ssh-ed25519 KEY") from None
        if unknown := options.keys() - {"namespaces"}:
            wrong = f"{path}: line {number}: {min(unknown)}: is not understood here"
            raise SignatureError(f"{wrong}; allowed is namespaces, or `ssh-keygen -Y verify`")
        if any(fnmatchcase(NAMESPACE, one) for one in options.get("namespaces", "*").split(",")):
            found.append(Signer(words[0], blob))
    return found


def fingerprint(public: bytes) -> str:
    """A public key's fingerprint as ssh-keygen prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(public).digest()).decode().rstrip("=")


def public_blob(key: PrivateKey) -> bytes:
    """The key's public half as SSH has it."""
    line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return base64.b64decode(line.split()[1])


def public_line(key: PrivateKey) -> str:
    """The key's public half as a line of an authorized_keys file has it."""
    public = public_blob(key)
    return f"{_take(public)[0].decode()} {base64.b64encode(public).decode()}"


def _covered(message: bytes) -> bytes:
    parts = (NAMESPACE.encode(), b"", _HASH, hashlib.sha512(message).digest())
    return _MAGIC + b"".join(map(_string, parts))


def _parse(signature: str) -> tuple[bytes, bytes, bytes]:
    """Public key, kind of signature and signature of an armoured one."""
    try:
        body = signature.partition(_BEGIN)[2].partition(_END)[0]
        blob = base64.b64decode("".join(body.split()), validate=True)
        if not blob.startswith(_MAGIC) or struct.unpack_from(">I", blob, len(_MAGIC))[0] != _VERSION:
            raise SignatureError("not an SSH signature")
        public, rest = _take(blob[len(_MAGIC) + 4 :])
        namespace, rest = _take(rest)
        _, rest = _take(rest)
        digest, rest = _take(rest)
        kind, raw = _take(_take(rest)[0])
    except (binascii.Error, struct.error, IndexError):
        raise SignatureError("not an SSH signature") from None
    if namespace != NAMESPACE.encode() or digest != _HASH:
        raise SignatureError(f"signed for another purpose than {NAMESPACE}")
    return public, kind, _take(raw)[0]


def _string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def _take(data: bytes) -> tuple[bytes, bytes]:
    """The first string and what follows it."""
    (size,) = struct.unpack_from(">I", data)
    if len(data) < 4 + size:
        raise IndexError(size)
    return data[4 : 4 + size], data[4 + size :]
