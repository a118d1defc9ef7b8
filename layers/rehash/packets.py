# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP Rehash: the option of draft-mongazon-tcpm-tcp-rehash-00, section 7."""

from typing import Any

from scapy.packet import Packet

from layers.fields import HexField, IPv4AddressField, UIntField
from layers.tcp_options import TCPOption, register

INIT = 0x0001
ADDR = 0x0010

_controls = {INIT: "REHASH-INIT", ADDR: "REHASH-ADDR"}


@register
class RehashOption(TCPOption):
    """TCP Rehash option, REHASH-INIT and REHASH-ADDR alike::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |  Kind = 253   |  Length = 16  |        Control Header         |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                     Authenticator (nonce)                     |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                   Old (previous) IP address                   |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                   New (current) IP address                    |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    """

    name = "TCP Rehash"
    fields_desc = [
        UIntField("kind", 253, 8),
        UIntField("length", 16, 8),
        UIntField("control", INIT, 16, _controls),
        HexField("nonce", 0, 32),
        IPv4AddressField("old"),
        IPv4AddressField("new"),
    ]

    def answers(self, other: Packet) -> int:
        """REHASH-INIT answers another one, and acknowledges REHASH-ADDR."""
        return int(isinstance(other, RehashOption) and self.control == INIT and other.control in _controls)

    def mysummary(self) -> Any:
        return self.sprintf("%RehashOption.control% %RehashOption.old% > %RehashOption.new% nonce %RehashOption.nonce%")
