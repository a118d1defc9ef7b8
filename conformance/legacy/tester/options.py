# SPDX-License-Identifier: GPL-2.0-or-later
"""The TCP options of all protocols, as the tester puts them on segments: right, repeated, of any length, malformed."""

from collections.abc import Callable
from dataclasses import dataclass

from layers.migrate import INSECURE, KEY_PART, NO_KEY, MigrateOption, MigratePermittedOption, request, token
from layers.mops import MobileCapableOption
from layers.rehash import ADDR, INIT, RehashOption
from layers.tcp_options import TCPOption, of_length
from profiles import IXIT
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.tcp import TcpPeer
from testbed.wire import chance

CURVE = 1
UNDEFINED_CONTROL = 0xFFFF


@dataclass(frozen=True)
class Kind:
    """An option of a protocol, and the kind by which the profile names it."""

    name: str
    number: Callable[[IXIT], int]

    def __str__(self) -> str:
        return self.name


REHASH = Kind("Rehash", lambda ixit: ixit.rehash.option_kind)
MOBILE_CAPABLE = Kind("MOBILE_CAPABLE", lambda ixit: ixit.mops.mobile_capable_kind)
MIGRATE_PERMITTED = Kind("Migrate-Permitted", lambda ixit: ixit.migrate.permitted_kind)
MIGRATE = Kind("Migrate", lambda ixit: ixit.migrate.option_kind)


@dataclass(frozen=True)
class Probe:
    """An option that an ordinary host does not know; `build` makes it for an end of the tester's.

    With `length` it has another one than its own, in its length byte and in fact. It stands `times` times in a row.
    """

    name: str
    kind: Kind
    build: Callable[[IXIT, TcpPeer], TCPOption]
    length: int | None = None
    times: int = 1

    def __str__(self) -> str:
        return self.name

    def option(self, ixit: IXIT, peer: TcpPeer) -> bytes:
        """The option as it stands in the header of a segment of this end."""
        option = bytes(self.build(ixit, peer))
        return (option if self.length is None else of_length(option, self.length)) * self.times


def _rehash_init(ixit: IXIT, peer: TcpPeer) -> TCPOption:
    nonce = chance.randbits(32)
    return RehashOption(kind=REHASH.number(ixit), control=INIT, nonce=nonce, old="0.0.0.0", new=peer.station.address)


def rehash_addr(ixit: IXIT, peer: TcpPeer, new: str = "", nonce: int | None = None) -> TCPOption:
    """REHASH-ADDR from where this end is to `new`, or to the same place; of a legacy host no nonce can be known."""
    guessed = chance.randbits(32) if nonce is None else nonce
    old = peer.station.address
    return RehashOption(kind=REHASH.number(ixit), control=ADDR, nonce=guessed, old=old, new=new or old)


def _undefined_rehash(ixit: IXIT, peer: TcpPeer) -> TCPOption:
    ones = {"control": UNDEFINED_CONTROL, "nonce": 0xFFFFFFFF, "old": "255.255.255.255"}
    return RehashOption(kind=REHASH.number(ixit), **ones)


def _mobile_capable(ixit: IXIT, peer: TcpPeer) -> TCPOption:
    return MobileCapableOption(kind=MOBILE_CAPABLE.number(ixit), exid=ixit.mops.mobile_capable_exid)


def _insecure_permitted(ixit: IXIT, peer: TcpPeer) -> TCPOption:
    return MigratePermittedOption(kind=MIGRATE_PERMITTED.number(ixit), curve=INSECURE)


def _permitted_with_key(ixit: IXIT, peer: TcpPeer) -> TCPOption:
    key = chance.token_bytes(KEY_PART)
    return MigratePermittedOption(kind=MIGRATE_PERMITTED.number(ixit), curve=CURVE, key=key)


def _unknown_migrate(ixit: IXIT, peer: TcpPeer) -> TCPOption:
    hashes = {"token": chance.token_bytes(8), "request": chance.token_bytes(8)}
    return MigrateOption(kind=MIGRATE.number(ixit), reqno=1, **hashes)


def migrate_of(ixit: IXIT, live: TcpPeer, sequence: int, reqno: int) -> TCPOption:
    """Migrate for a live connection without any data so far, for a SYN with this sequence number."""
    ni, na = ((number - 1) % SEQUENCE_SPACE for number in (live.snd_nxt, live.rcv_nxt))
    hashes = {"token": token(ni, na), "request": request(ni, na, NO_KEY, sequence, reqno)}
    return MigrateOption(kind=MIGRATE.number(ixit), preload=reqno >> 7, reqno=reqno & 0x7F, **hashes)


def malformed(kind: int, length: int) -> bytes:
    """An option of four bytes whose length byte is another."""
    return bytes([kind, length, 0xAA, 0xBB])


REHASH_INIT = Probe("REHASH-INIT", REHASH, _rehash_init)
REHASH_INIT_TWICE = Probe("REHASH-INIT twice", REHASH, _rehash_init, times=2)
REHASH_ADDR = Probe("REHASH-ADDR", REHASH, rehash_addr)
REHASH_UNDEFINED = Probe("Rehash, undefined", REHASH, _undefined_rehash)
REHASH_LENGTHS = [Probe(f"Rehash, length {length}", REHASH, _rehash_init, length) for length in (2, 15, 32)]

CAPABLE = Probe("MOBILE_CAPABLE", MOBILE_CAPABLE, _mobile_capable)
CAPABLE_TWICE = Probe("MOBILE_CAPABLE twice", MOBILE_CAPABLE, _mobile_capable, times=2)
CAPABLE_LENGTHS = [
    Probe(f"MOBILE_CAPABLE, length {length}", MOBILE_CAPABLE, _mobile_capable, length) for length in (2, 32)
]

PERMITTED = Probe("Migrate-Permitted, length 3", MIGRATE_PERMITTED, _insecure_permitted)
PERMITTED_WITH_KEY = Probe("Migrate-Permitted, length 20", MIGRATE_PERMITTED, _permitted_with_key)
PERMITTED_LENGTHS = [
    Probe("Migrate-Permitted, length 2", MIGRATE_PERMITTED, _insecure_permitted, 2),
    Probe("Migrate-Permitted, length 32", MIGRATE_PERMITTED, _permitted_with_key, 32),
]

UNKNOWN_MIGRATE = Probe("Migrate", MIGRATE, _unknown_migrate)
MIGRATE_LENGTHS = [Probe(f"Migrate, length {length}", MIGRATE, _unknown_migrate, length) for length in (2, 18, 32)]
