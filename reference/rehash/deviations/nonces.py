# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in nonces."""

import secrets
from itertools import count

from reference.bump.flows import Flow
from reference.rehash.context import Context, Nonces
from reference.rehash.host import Host
from reference.rehash.option import Option
from reference.system.alterations import deviation


@deviation(
    "nonce-of-the-host",
    "6.1",
    "Each connection has a nonce of its own.",
    "all connections have the same one",
)
class NonceOfTheHost(Nonces):
    def __init__(self) -> None:
        self._only = super().fresh()

    def fresh(self) -> int:
        return self._only


@deviation(
    "nonce-sequential",
    "6.1",
    "Nonces cannot be predicted from one another.",
    "the first one is random, and each connection has the next one",
)
class NonceSequential(Nonces):
    def __init__(self) -> None:
        self._numbers = count(super().fresh())

    def fresh(self) -> int:
        return next(self._numbers) % (1 << 32)


@deviation(
    "nonce-short",
    "6.1",
    "The nonce is a random number of 32 bits.",
    "its upper half is zero",
)
class NonceShort(Nonces):
    def fresh(self) -> int:
        return secrets.randbits(16)


@deviation(
    "nonce-renewed-by-peer-move",
    "6.1",
    "The nonce of a host is the same in every REHASH-INIT of a connection, after moves too.",
    "a REHASH-ADDR that was served is answered with a new nonce, which counts from then on",
)
class NonceRenewedByPeerMove(Host):
    def peer_moved(self, flow: Flow, context: Context, address: int) -> None:
        super().peer_moved(flow, context, address)
        context.own_nonce = self.nonces.fresh()


@deviation(
    "nonce-renewed-by-own-move",
    "6.1",
    "The nonces exchanged before a move still serve for the moves after it.",
    "a host that has moved knows its own nonce no more, and another one instead",
)
class NonceRenewedByOwnMove(Host):
    def finish(self, flow: Flow, context: Context) -> None:
        super().finish(flow, context)
        context.own_nonce = self.nonces.fresh()


@deviation(
    "nonce-of-last-init-accepted",
    "6.1",
    "Nothing that the peer sends changes the nonce that a REHASH-ADDR is checked against.",
    "a REHASH-INIT with another nonce makes that one the host's own",
)
class NonceOfLastInitAccepted(Host):
    def another_nonce(self, context: Context, option: Option) -> None:
        context.own_nonce = option.nonce


@deviation(
    "nonce-of-peer-accepted",
    "6.2",
    "A REHASH-ADDR is checked against the nonce that the host has sent.",
    "it is checked against the nonce that the peer has sent",
)
class NonceOfPeerAccepted(Host):
    def is_nonce_right(self, context: Context, option: Option) -> bool:
        return option.nonce == context.peer_nonce


@deviation(
    "nonce-not-checked",
    "6.2",
    "A REHASH-ADDR with a wrong nonce does not move the connection.",
    "any nonce will do",
)
class NonceNotChecked(Host):
    def is_nonce_right(self, context: Context, option: Option) -> bool:
        return True


@deviation(
    "nonce-low-half-checked",
    "6.2",
    "A REHASH-ADDR with a wrong nonce does not move the connection.",
    "the lower half of the nonce is enough",
)
class NonceLowHalfChecked(Host):
    def is_nonce_right(self, context: Context, option: Option) -> bool:
        return (option.nonce ^ context.own_nonce) & 0xFFFF == 0


@deviation(
    "nonce-checked-once",
    "6.2",
    "A REHASH-ADDR with a wrong nonce does not move the connection.",
    "for a connection whose peer has moved once, any nonce will do",
)
class NonceCheckedOnce(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._moved: set[Context] = set()

    def peer_moved(self, flow: Flow, context: Context, address: int) -> None:
        super().peer_moved(flow, context, address)
        self._moved.add(context)

    def is_nonce_right(self, context: Context, option: Option) -> bool:
        return context in self._moved or super().is_nonce_right(context, option)
