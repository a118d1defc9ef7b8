# SPDX-License-Identifier: GPL-2.0-or-later
"""MSOCKS (Maltz and Bhagwat) in the default encoding of this suite, as the lecture gives none."""

from layers.msocks.packets import (
    DEFAULT_PORT,
    DOMAIN,
    IPV4,
    IPV6,
    RECONNECT,
    VERSION,
    AddressTypeField,
    MSOCKSReconnect,
    MSOCKSReconnectReply,
    Socks5Greeting,
    Socks5Reply,
    Socks5Request,
    Socks5Selection,
    SocksAddressField,
    address_type,
    bind_port,
    message_from_client,
    message_from_proxy,
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
