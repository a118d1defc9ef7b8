# SPDX-License-Identifier: GPL-2.0-or-later
"""The two options of TCP Migrate, and the hashes by which a connection is named and a migration proved."""

import hashlib
import struct
from typing import NamedTuple

from reference.bump.tcp import NO_OPERATION, TIMESTAMPS, split

INSECURE = 0
PERMITTED_LENGTHS = 3, 20
MIGRATE_LENGTH = 19
_KEY_PART = 17
_KEY_LENGTH = 25
REQNO_SPACE = 128
_PRELOAD = 0x80


class Permitted(NamedTuple):
    """Migrate-Permitted: the number of a curve and, where it is not the insecure one, 25 bytes of Key Data."""

    curve: int
    key_data: bytes = b""

    @property
    def is_secure(self) -> bool:
        return bool(self.key_data)

    def pack(self, kind: int) -> bytes:
        """The option, without the end of the key."""
        part = self.key_data[:_KEY_PART]
        return bytes((kind, 3 + len(part), self.curve)) + part

    @property
    def stamps(self) -> bytes:
        """The end of the key, as it stands in TSval and TSecr."""
        return self.key_data[_KEY_PART:]


class Migrate(NamedTuple):
    """The Migrate option; `number` is Preload and ReqNo, the byte as it stands on the wire."""

    number: int
    token: bytes
    request: bytes

    @property
    def reqno(self) -> int:
        return self.number & ~_PRELOAD

    def pack(self, kind: int) -> bytes:
        return bytes((kind, MIGRATE_LENGTH, self.number)) + self.token + self.request


def permitted_in(options: bytes, kind: int) -> Permitted | None:
    """The Migrate-Permitted of a SYN or SYN-ACK; None where it has none that is whole."""
    stamps = stamps_in(options)
    for one, whole in split(options):
        if one != kind or len(whole) not in PERMITTED_LENGTHS:
            continue
        if len(whole) == PERMITTED_LENGTHS[0]:
            return Permitted(whole[2]) if whole[2] == INSECURE else None
        return Permitted(whole[2], whole[3:] + stamps) if whole[2] != INSECURE and stamps else None
    return None


def migrate_in(options: bytes, kind: int) -> Migrate | None:
    """The Migrate of a SYN; None where it has none of the right length."""
    for one, whole in split(options):
        if one == kind and len(whole) == MIGRATE_LENGTH:
            return Migrate(whole[2], whole[3:11], whole[11:19])
    return None


def stamps_in(options: bytes) -> bytes | None:
    """TSval and TSecr, eight bytes; None without timestamps."""
    return next((whole[2:] for one, whole in split(options) if one == TIMESTAMPS and len(whole) == 10), None)


def with_stamps(options: bytes, stamps: bytes) -> bytes:
    """These options with other timestamps, all in their places."""
    return b"".join(
        whole[:2] + stamps if one == TIMESTAMPS and len(whole) == 10 else whole for one, whole in split(options)
    )


def stamp_later(stamp: bytes, by: int) -> bytes:
    """A timestamp and so much more."""
    return ((int.from_bytes(stamp, "big") + by) & 0xFFFFFFFF).to_bytes(4, "big")


def without_padding(options: bytes) -> bytes:
    """These options without no-operations, so that others find room."""
    return b"".join(whole for one, whole in split(options) if one != NO_OPERATION)


def padded(options: bytes) -> bytes:
    """Options filled up to whole words."""
    return options + bytes(-len(options) % 4)


def key_of(secret: bytes = b"") -> bytes:
    """The key K: 200 bits, padded on the left with zeros; all of them where there is no secret."""
    return secret.rjust(_KEY_LENGTH, b"\0")


def token(ni: int, na: int, key: bytes) -> bytes:
    """The first 64 bits of SHA-1(Ni, Na, K)."""
    return hashlib.sha1(struct.pack("!II", ni, na) + key).digest()[:8]


def request(ni: int, na: int, key: bytes, sequence: int, number: int) -> bytes:
    """The first 64 bits of SHA-1(Ni, Na, K, S, ReqNo)."""
    return hashlib.sha1(struct.pack("!II", ni, na) + key + struct.pack("!IB", sequence, number)).digest()[:8]
