# SPDX-License-Identifier: GPL-2.0-or-later
"""Mobile Protocol Stack (MOPS): the ICMPv5 messages of draft-eromenko-ipff-mops-00, section 4, and its TCP option.

Addresses are 50 bits. Over IPv4 the message carries a.b.c.d as 0.a.b.c.d and may be written so::

    >>> IP(dst="198.18.0.1") / MOPSMigrate(protocol=6, previous_source="198.18.0.9", migrated_source="198.18.0.10",
    ...                                    entries=[(1027, 2098, 0x12345678)])
"""

import struct
from typing import Any

from scapy.fields import ConditionalField
from scapy.layers.inet import IP
from scapy.packet import Packet

from layers.cut import rows
from layers.fields import CountField, HexField, IPFFAddressField, TableField, UIntField
from layers.icmpv5 import ICMPV5_TYPES, ICMPv5
from layers.ipff import IPFF, PROTOCOLS
from layers.tcp_options import TCPOption, register

MIGRATE = 0
MIGRATE_ATOMIC = 1
SUCCESS = 2
FAILED = 3

ICMPV5_TYPES |= {100: "migrate", 101: "anycast-acknowledgement", 102: "nat-acknowledgement"}

_migrate_codes = {
    MIGRATE: "migrate",
    MIGRATE_ATOMIC: "migrate-atomic",
    SUCCESS: "success",
    FAILED: "failed",
}


class MOPSMigrate(ICMPv5):
    """ICMP Migrate, request and reply (section 4.1), 24 + 8n bytes::

             0                   1                   2                   3
             0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
          4 |           Type = 100          |           Checksum            |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
          8 |  Version = 1  |     Code      |           Reserved            |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
         12 |         Protocol          |      Previous Source Address      |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+                                   +
         16 |                                                               |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
         20 |           Count           |      Migrated Source Address      |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+                                   +
         24 |                                                               |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
         28 |    Previous Source Port 1     |    Migrated Source Port 1     |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
         32 |              Sequence number / App Unique ID 1                |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
         36 |    Previous Source Port 2     |    Migrated Source Port 2     |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
         40 |              Sequence number / App Unique ID 2                |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
            |                              ...                              |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
            |    Previous Source Port n     |    Migrated Source Port n     |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
         (n)|              Sequence number / App Unique ID n                |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        (bytes)

    Codes 0 and 1 (atomic) are requests of the mobile node, 2 (success) and 3 (failed) replies of the server.
    ``entries`` is a list of (previous_port, migrated_port, identifier).
    """

    name = "MOPS Migrate"
    fields_desc = [
        UIntField("type", 100, 16, ICMPV5_TYPES),
        HexField("checksum", None, 16),
        UIntField("version", 1, 8),
        UIntField("code", MIGRATE, 8, _migrate_codes),
        UIntField("reserved", 0, 16),
        UIntField("protocol", 6, 14, PROTOCOLS),
        IPFFAddressField("previous_source"),
        CountField("count", 14, "entries"),
        IPFFAddressField("migrated_source"),
        TableField("entries", {"previous_port": "H", "migrated_port": "H", "identifier": "I"}, "count"),
    ]

    def hashret(self) -> bytes:
        addresses = self.getfieldval("previous_source"), self.getfieldval("migrated_source")
        return struct.pack("!HHQQ", self.type, self.protocol, *addresses)

    def answers(self, other: Packet) -> int:
        """Success repeats every entry of the request, failure any of them in the request's order."""
        if not isinstance(other, MOPSMigrate) or other.code not in (MIGRATE, MIGRATE_ATOMIC):
            return 0
        if self.hashret() != other.hashret():
            return 0
        if self.code == SUCCESS:
            return int(self.entries == other.entries)
        return int(self.code == FAILED and _is_subsequence(self.entries, other.entries))

    def mysummary(self) -> Any:
        text = self.sprintf(
            "MOPS Migrate %MOPSMigrate.code% %MOPSMigrate.protocol%"
            " %MOPSMigrate.previous_source% > %MOPSMigrate.migrated_source%"
        )
        return text + _ports(self), [IPFF, IP]


class MOPSAnycastAck(ICMPv5):
    """ICMP Anycast Server acknowledgement (section 4.2), 28 bytes::

             0                   1                   2                   3
             0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
          4 |           Type = 101          |           Checksum            |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
          8 |  Version = 1  |   Code = 0    |           Reserved            |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
         12 |         Protocol          |    Anycast Destination Address    |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+                                   +
         16 |                                                               |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
         20 |         Reserved          |    Unicast Destination Address    |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+                                   +
         24 |                                                               |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
         28 |          Source Port          |       Destination Port        |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        (bytes)

    Tells the mobile node the unicast address under which it can reach this very server again.
    """

    name = "MOPS Anycast acknowledgement"
    fields_desc = [
        UIntField("type", 101, 16, ICMPV5_TYPES),
        HexField("checksum", None, 16),
        UIntField("version", 1, 8),
        UIntField("code", 0, 8),
        UIntField("reserved", 0, 16),
        UIntField("protocol", 6, 14, PROTOCOLS),
        IPFFAddressField("anycast_destination"),
        UIntField("reserved2", 0, 14),
        IPFFAddressField("unicast_destination"),
        UIntField("source_port", 0, 16),
        UIntField("destination_port", 0, 16),
    ]

    def mysummary(self) -> Any:
        text = self.sprintf(
            "MOPS Anycast acknowledgement %MOPSAnycastAck.protocol%"
            " %MOPSAnycastAck.anycast_destination% is %MOPSAnycastAck.unicast_destination%"
            " ports %MOPSAnycastAck.source_port% > %MOPSAnycastAck.destination_port%"
        )
        return text, [IPFF, IP]


class MOPSNATAck(ICMPv5):
    """ICMP NAT acknowledgement (section 4.3), 24 + 4n bytes::

             0                   1                   2                   3
             0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
          4 |           Type = 102          |           Checksum            |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
          8 |  Version = 1  |   Code = 0    |   NAT Level   |   Reserved    |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
         12 |         Protocol          |                                   |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+                                   +
         16 |                    Original Source Address                    |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
         20 |           Count           |     Translated Source Address     |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+                                   +
         24 |                                                               |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
         28 |    Original Source Port 1     |   Translated Source Port 1    |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
         32 |    Original Source Port 2     |   Translated Source Port 2    |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
            |                              ...                              |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
         (n)|    Original Source Port n     |   Translated Source Port n    |
            +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        (bytes)

    The figure of the draft numbers its rows four bytes further than its own fields reach; the widths given below it
    are what is followed here. ``entries`` is a list of (original_port, translated_port).
    """

    name = "MOPS NAT acknowledgement"
    fields_desc = [
        UIntField("type", 102, 16, ICMPV5_TYPES),
        HexField("checksum", None, 16),
        UIntField("version", 1, 8),
        UIntField("code", 0, 8),
        UIntField("nat_level", 1, 8),
        UIntField("reserved", 0, 8),
        UIntField("protocol", 6, 14, PROTOCOLS),
        IPFFAddressField("original_source"),
        CountField("count", 14, "entries"),
        IPFFAddressField("translated_source"),
        TableField("entries", {"original_port": "H", "translated_port": "H"}, "count"),
    ]

    def mysummary(self) -> Any:
        text = self.sprintf(
            "MOPS NAT acknowledgement level %MOPSNATAck.nat_level% %MOPSNATAck.protocol%"
            " %MOPSNATAck.original_source% > %MOPSNATAck.translated_source%"
        )
        return text + _ports(self), [IPFF, IP]


@register
class MobileCapableOption(TCPOption):
    """MOBILE_CAPABLE (Appendix C), for which no number and no format is assigned.

    Read here as an experiment after RFC 6994; a kind of its own may go without ExID, with length 2::

         0                   1                   2                   3
         0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        |  Kind = 254   |  Length = 4   |         ExID = 0x4D4F         |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    """

    name = "MOBILE_CAPABLE"
    fields_desc = [
        UIntField("kind", 254, 8),
        UIntField("length", 4, 8),
        ConditionalField(HexField("exid", 0x4D4F, 16), lambda option: option.length != 2),
    ]

    @classmethod
    def needs(cls, data: bytes) -> int:
        return 2 if data[1:2] == b"\x02" else 4

    def identity(self) -> tuple[Any, ...]:
        return (self.kind, None if self.length == 2 else self.exid)

    def mysummary(self) -> str:
        return "MOBILE_CAPABLE"


def _is_subsequence(part: list[Any], whole: list[Any]) -> bool:
    rest = iter(whole)
    return all(entry in rest for entry in part)


def _ports(message: Packet) -> str:
    entries = message.getfieldval("entries")
    listed = [f"{old} > {new}" for old, new, *_ in entries[:3]] if isinstance(entries, list) else []
    more = rows(message, "entries") - len(listed) if isinstance(entries, list) else 0
    if not listed:
        return f" ports of {more} entries" if more else " no ports"
    return f" ports {', '.join(listed)}" + (f", and {more} more" if more > 0 else "")
