# SPDX-License-Identifier: GPL-2.0-or-later
"""MSOCKS (Maltz and Bhagwat) in the default encoding of this suite, as the lecture gives none."""

from layers.msocks.bindings import DEFAULT_PORT, bind_port, message_from_client, message_from_proxy
from layers.msocks.fields import DOMAIN, IPV4, IPV6, AddressTypeField, SocksAddressField, address_type
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

__all__ = [
    "DEFAULT_PORT",
    "DOMAIN",
    "IPV4",
    "IPV6",
    "RECONNECT",
    "VERSION",
    "AddressTypeField",
    "MSOCKSReconnect",
    "MSOCKSReconnectReply",
    "Socks5Greeting",
    "Socks5Reply",
    "Socks5Request",
    "Socks5Selection",
    "SocksAddressField",
    "address_type",
    "bind_port",
    "message_from_client",
    "message_from_proxy",
]
