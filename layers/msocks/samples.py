# SPDX-License-Identifier: GPL-2.0-or-later
"""One frame of every MSOCKS message and every shape of it."""

from scapy.layers.inet import TCP
from scapy.packet import Packet

from layers.msocks.bindings import DEFAULT_PORT
from layers.msocks.packets import (
    MSOCKSReconnect,
    MSOCKSReconnectReply,
    Socks5Greeting,
    Socks5Reply,
    Socks5Request,
    Socks5Selection,
)
from layers.samples import NODE4, SERVER4, ipv4


def frames() -> dict[str, Packet]:
    """Complete Ethernet frames by name."""
    identifier = {"address": SERVER4, "port": 40000}
    bound = {"bound_address": SERVER4, "bound_port": 40000}
    counters = {"received": 1460, "sent": 1 << 33}
    to_proxy = {
        "greeting": Socks5Greeting(methods=[0, 2]),
        "connect": Socks5Request(**identifier),
        "connect-domain": Socks5Request(address="server.example", port=80),
        "connect-ipv6": Socks5Request(address="2001:db8::1", port=80),
        "reconnect": MSOCKSReconnect(**identifier, **counters),
    }
    from_proxy = {
        "selection": Socks5Selection(),
        "reply": Socks5Reply(**bound),
        "refusal": Socks5Reply(reply=5),
        "reconnect-reply": MSOCKSReconnectReply(**bound, **counters),
    }
    sent = {
        f"msocks-{name}": ipv4(TCP(sport=port, dport=DEFAULT_PORT, flags="PA") / message)
        for port, (name, message) in enumerate(to_proxy.items(), 1027)
    }
    received = {
        f"msocks-{name}": ipv4(TCP(sport=DEFAULT_PORT, dport=port, flags="PA") / message, src=SERVER4, dst=NODE4)
        for port, (name, message) in enumerate(from_proxy.items(), 2027)
    }
    return {**sent, **received}
