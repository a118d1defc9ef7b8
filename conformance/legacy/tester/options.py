# SPDX-License-Identifier: GPL-2.0-or-later
"""The TCP options of all protocols by name, as the tester puts them on segments: right, of any length, malformed."""

import secrets
from collections.abc import Callable

from conformance.rehash.tester.peer import RehashPeer
from layers.migrate import KEY_PART, MigrateOption, MigratePermittedOption, request, token
from layers.mops import MobileCapableOption
from layers.rehash import RehashOption
from profiles import IXIT
from testbed.peers.tcp import SEQUENCE_SPACE

INSECURE, CURVE = 0, 1
PERMITTED_LENGTHS = {3: INSECURE, 20: CURVE}


def rehash_init(ixit: IXIT, peer: RehashPeer) -> bytes:
    """REHASH-INIT with the peer's nonce."""
    return bytes(peer.init())


def rehash_addr(ixit: IXIT, peer: RehashPeer) -> bytes:
    """REHASH-ADDR that says the peer is where it is; of a device that told no nonce none can be known."""
    return bytes(peer.order(peer.station.address, nonce=secrets.randbits(32)))


def mobile_capable(ixit: IXIT, peer: RehashPeer) -> bytes:
    """MOBILE_CAPABLE with its ExID."""
    return bytes(MobileCapableOption(kind=ixit.mops.mobile_capable_kind, exid=ixit.mops.mobile_capable_exid))


def permitted(length: int) -> Callable[[IXIT, RehashPeer], bytes]:
    """Migrate-Permitted, insecure (length 3) or with a key (length 20)."""

    def make(ixit: IXIT, peer: RehashPeer) -> bytes:
        kind, curve = ixit.migrate.permitted_kind, PERMITTED_LENGTHS[length]
        return bytes(
            MigratePermittedOption(kind=kind, curve=curve, key=secrets.token_bytes(KEY_PART) if curve else b"")
        )

    return make


def migrate(ixit: IXIT, peer: RehashPeer) -> bytes:
    """Migrate for a connection that nobody knows."""
    kind, hashes = ixit.migrate.option_kind, (secrets.token_bytes(8), secrets.token_bytes(8))
    return bytes(MigrateOption(kind=kind, reqno=1, token=hashes[0], request=hashes[1]))


def migrate_of(ixit: IXIT, peer: RehashPeer, sequence: int, reqno: int) -> bytes:
    """Migrate for this connection, on which no data has been exchanged yet, for a SYN with this sequence number."""
    initial = ((number - 1) % SEQUENCE_SPACE for number in (peer.snd_nxt, peer.rcv_nxt))
    ni, nj = initial
    hashes = token(ni, nj, b""), request(ni, nj, b"", sequence, reqno)
    return bytes(MigrateOption(kind=ixit.migrate.option_kind, reqno=reqno, token=hashes[0], request=hashes[1]))


def of_length(make: Callable[[IXIT, RehashPeer], bytes], length: int) -> Callable[[IXIT, RehashPeer], bytes]:
    """The option with another length, in its length byte and in fact."""

    def made(ixit: IXIT, peer: RehashPeer) -> bytes:
        content = make(ixit, peer)
        return bytes([content[0], length]) + content[2:length].ljust(length - 2, b"\0")

    return made


def twice(make: Callable[[IXIT, RehashPeer], bytes]) -> Callable[[IXIT, RehashPeer], bytes]:
    """The option two times in a row."""
    return lambda ixit, peer: make(ixit, peer) * 2


def _wide_rehash(ixit: IXIT, peer: RehashPeer) -> bytes:
    return bytes(RehashOption(kind=ixit.rehash.option_kind, control=0xFFFF, nonce=0xFFFFFFFF, old="255.255.255.255"))


OPTIONS: dict[str, Callable[[IXIT, RehashPeer], bytes]] = {
    "REHASH-INIT": rehash_init,
    "REHASH-INIT twice": twice(rehash_init),
    "REHASH-ADDR": rehash_addr,
    "Rehash, undefined": _wide_rehash,
    "Rehash, length 2": of_length(rehash_init, 2),
    "Rehash, length 15": of_length(rehash_init, 15),
    "Rehash, length 32": of_length(rehash_init, 32),
    "MOBILE_CAPABLE": mobile_capable,
    "MOBILE_CAPABLE twice": twice(mobile_capable),
    "MOBILE_CAPABLE, length 2": of_length(mobile_capable, 2),
    "MOBILE_CAPABLE, length 32": of_length(mobile_capable, 32),
    "Migrate-Permitted, length 3": permitted(3),
    "Migrate-Permitted, length 20": permitted(20),
    "Migrate-Permitted, length 2": of_length(permitted(3), 2),
    "Migrate-Permitted, length 32": of_length(permitted(20), 32),
    "Migrate": migrate,
    "Migrate, length 2": of_length(migrate, 2),
    "Migrate, length 18": of_length(migrate, 18),
    "Migrate, length 32": of_length(migrate, 32),
}
"""What an ordinary host does not know. On a SYN there is room for 32 bytes beside segment size and window scale."""


def kind_of(ixit: IXIT, name: str) -> int:
    """The kind of an option by the beginning of its name."""
    kinds = {
        "REHASH": ixit.rehash.option_kind,
        "Rehash": ixit.rehash.option_kind,
        "MOBILE_CAPABLE": ixit.mops.mobile_capable_kind,
        "Migrate-Permitted": ixit.migrate.permitted_kind,
        "Migrate": ixit.migrate.option_kind,
    }
    return next(kind for beginning, kind in kinds.items() if name.startswith(beginning))


def malformed(kind: int, length: int) -> bytes:
    """An option of four bytes that lies about its length."""
    return bytes([kind, length, 0xAA, 0xBB])
