# SPDX-License-Identifier: GPL-2.0-or-later
"""The TCP port of the MSOCKS proxy, and what the data of a segment to or from it looks like."""

from typing import Any

from scapy.config import conf
from scapy.layers.inet import TCP
from scapy.packet import Packet, bind_bottom_up, split_bottom_up

from layers.binding import Binding, declare
from layers.msocks.packets import (
    RECONNECT,
    VERSION,
    MSOCKSReconnect,
    MSOCKSReconnectReply,
    Socks5Greeting,
    Socks5Reply,
    Socks5Request,
    Socks5Selection,
)

DEFAULT_PORT = 1080


def message_from_client(data: bytes) -> Any:
    """The class of the message that the data of a segment to the proxy looks like, Raw if none."""
    if data[:1] != bytes([VERSION]):
        return conf.raw_layer
    if data[1:2] == bytes([RECONNECT]) and len(data) >= MSOCKSReconnect.needs(data):
        return MSOCKSReconnect
    if len(data) == Socks5Greeting.needs(data):
        return Socks5Greeting
    return Socks5Request.unless_short(data)


def message_from_proxy(data: bytes) -> Any:
    """The class of the message that the data of a segment from the proxy looks like, Raw if none."""
    if data[:1] != bytes([VERSION]):
        return conf.raw_layer
    if len(data) == Socks5Selection.minimum:
        return Socks5Selection
    if len(data) == MSOCKSReconnectReply.needs(data):
        return MSOCKSReconnectReply
    return Socks5Reply.unless_short(data)


class _FromClient(Packet):  # type: ignore[misc]
    @classmethod
    def dispatch_hook(cls, _pkt: bytes = b"", *_: Any, **__: Any) -> Any:
        return message_from_client(_pkt)


class _FromProxy(Packet):  # type: ignore[misc]
    @classmethod
    def dispatch_hook(cls, _pkt: bytes = b"", *_: Any, **__: Any) -> Any:
        return message_from_proxy(_pkt)


def bind_port(number: int) -> None:
    """Dissect the data of this TCP port, and no other, as MSOCKS where it looks like it.

    Not done on import: what follows on the same connection is the application's own data.
    """
    split_bottom_up(TCP, _FromClient)
    split_bottom_up(TCP, _FromProxy)
    bind_bottom_up(TCP, _FromClient, dport=number)
    bind_bottom_up(TCP, _FromProxy, sport=number)


declare(Binding("--msocks-port", "TCP port of the MSOCKS proxy", DEFAULT_PORT, bind_port))
