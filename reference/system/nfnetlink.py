# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules of netfilter over nfnetlink: tables, chains and rules of nftables in one transaction, without a program.

An expression is its name and its attributes; they are those of `linux/netfilter/nf_tables.h`.
"""

import os
import socket
import struct
from dataclasses import dataclass, field

NETLINK_NETFILTER = 12
_NFTABLES = 10
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_NEWTABLE, _NEWCHAIN, _NEWRULE = 0, 3, 6
REQUEST, ACK, CREATE, EXCL, _APPEND = 0x01, 0x04, 0x400, 0x200, 0x800
_NESTED = 0x8000
_ERROR = 2
HEADER = struct.Struct("=IHHII")

TABLE_NAME = 1
CHAIN_TABLE, CHAIN_NAME, CHAIN_HOOK, CHAIN_POLICY, CHAIN_TYPE = 1, 3, 4, 5, 7
HOOK_NUMBER, HOOK_PRIORITY = 1, 2
RULE_TABLE, RULE_CHAIN, RULE_EXPRESSIONS = 1, 2, 4
LIST_ELEMENT, EXPRESSION_NAME, EXPRESSION_DATA = 1, 1, 2

PREROUTING, INPUT, FORWARD, OUTPUT, POSTROUTING = range(5)
DROP, ACCEPT = 0, 1


def attribute(kind: int, payload: bytes) -> bytes:
    """One attribute, filled up to four bytes."""
    return struct.pack("=HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def number(kind: int, value: int) -> bytes:
    """An attribute that is a number of 32 bits; netfilter's are big-endian."""
    return attribute(kind, struct.pack("!i" if value < 0 else "!I", value))


def text(kind: int, value: str) -> bytes:
    """An attribute that is a name."""
    return attribute(kind, value.encode() + b"\0")


def nested(kind: int, *attributes: bytes) -> bytes:
    """An attribute made of attributes."""
    return attribute(kind | _NESTED, b"".join(attributes))


def expression(name: str, *attributes: bytes) -> bytes:
    """One step of a rule."""
    return nested(LIST_ELEMENT, text(EXPRESSION_NAME, name), nested(EXPRESSION_DATA, *attributes))


@dataclass(frozen=True)
class Chain:
    """A base chain: where it hooks in, as what (`nat`, `filter`), and its rules, each a tuple of expressions."""

    name: str
    hook: int
    priority: int
    kind: str = "filter"
    policy: int = ACCEPT
    rules: tuple[tuple[bytes, ...], ...] = field(default=())


def load(table: str, chains: tuple[Chain, ...]) -> None:
    """Make a table of IPv4 with these chains, all of it or nothing; OSError where the kernel refuses."""
    messages = [(_NEWTABLE, CREATE, text(TABLE_NAME, table))]
    for chain in chains:
        messages.append((_NEWCHAIN, CREATE, _chain(table, chain)))
        for rule in chain.rules:
            body = text(RULE_TABLE, table) + text(RULE_CHAIN, chain.name) + nested(RULE_EXPRESSIONS, *rule)
            messages.append((_NEWRULE, CREATE | _APPEND, body))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as netlink:
        netlink.bind((0, 0))
        netlink.send(_batch(messages))
        for _ in messages:
            check(netlink.recv(65536))


def _chain(table: str, chain: Chain) -> bytes:
    hook = nested(CHAIN_HOOK, number(HOOK_NUMBER, chain.hook), number(HOOK_PRIORITY, chain.priority))
    name = text(CHAIN_TABLE, table) + text(CHAIN_NAME, chain.name)
    return name + hook + number(CHAIN_POLICY, chain.policy) + text(CHAIN_TYPE, chain.kind)


def _batch(messages: list[tuple[int, int, bytes]]) -> bytes:
    """The messages between begin and end of a transaction; each is acknowledged."""
    family, subsystem = socket.AF_INET, _NFTABLES
    made = [message(_BATCH_BEGIN, REQUEST, 0, socket.AF_UNSPEC, subsystem, b"")]
    for sequence, (kind, flags, body) in enumerate(messages, 1):
        made.append(message(subsystem << 8 | kind, REQUEST | ACK | flags, sequence, family, 0, body))
    return b"".join([*made, message(_BATCH_END, REQUEST, len(made), socket.AF_UNSPEC, subsystem, b"")])


def message(kind: int, flags: int, sequence: int, family: int, resource: int, body: bytes) -> bytes:
    """One message; `kind` is the subsystem in the upper byte and what it is told in the lower one."""
    general = struct.pack("!BBH", family, 0, resource)
    return HEADER.pack(HEADER.size + len(general) + len(body), kind, flags, sequence, 0) + general + body


def check(answers: bytes) -> bool:
    """Look at what the kernel answers; OSError with the first error in it. Whether an acknowledgement is in it."""
    at, is_acknowledged = 0, False
    while at + HEADER.size <= len(answers):
        length, kind, _, sequence, _ = HEADER.unpack_from(answers, at)
        error = -struct.unpack_from("=i", answers, at + HEADER.size)[0] if kind == _ERROR else 0
        if error:
            raise OSError(error, f"netfilter, message {sequence}: {os.strerror(error)}")
        is_acknowledged = is_acknowledged or kind == _ERROR
        at += length + (-length % 4)
    return is_acknowledged
