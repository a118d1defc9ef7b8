# SPDX-License-Identifier: GPL-2.0-or-later
"""What is wrong with a frame: a decoder of its own, from the specifications, with nothing but struct.

It knows Ethernet, ARP, IPv4 (RFC 791), IPFF (draft-eromenko-ipff-00), TCP (RFC 9293), UDP, ICMP (RFC 792) with the
SACIP notification, the MOPS messages, the Rehash option and those of TCP Migrate. `faults` names each rule that a frame
breaks; an ordinary frame breaks none.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

ARP, IPV4, IPFF = 0x0806, 0x0800, 0x88B5
ICMPV5_OVER_IPFF, TCP, UDP, ICMPV5_OVER_IPV4 = 1, 6, 17, 254
MIGRATE, ANYCAST, NAT = 100, 101, 102
REHASH, MIGRATE_PERMITTED, MIGRATE_OPTION = 253, 15, 16
ORDINARY_ICMP, SACIP = (0, 3, 4, 5, 8, 11, 12), 20
_FIXED = {2: 4, 3: 3, 4: 2, 8: 10}
_FIVE_FIELDS = 5


@dataclass(frozen=True)
class Datagram:
    """What a network packet carries, and the pseudo-header of its checksum."""

    protocol: int
    payload: bytes
    pseudo: bytes
    has_pseudo_in_icmp: bool


def ones_complement(data: bytes) -> int:
    """The sum of RFC 1071; 0xFFFF where a checksum in the data is right."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def faults(frame: bytes) -> set[str]:
    """The rules that an Ethernet frame breaks."""
    (ethertype,) = struct.unpack_from("!H", frame, 12)
    if ethertype == ARP:
        return set()
    readers = {IPV4: _ipv4, IPFF: _ipff}
    if ethertype not in readers:
        return {f"EtherType {ethertype:#06x}"}
    found, datagram = readers[ethertype](frame[14:])
    return found | (set(_upper(datagram)) if datagram else set())


def _ipv4(packet: bytes) -> tuple[set[str], Datagram | None]:
    first, _, length, _, fragment, _, protocol = struct.unpack_from("!BBHHHBB", packet)
    found, header = set(), (first & 15) * 4
    if first >> 4 != 4 or header < 20:
        return {"IPv4 header"}, None
    if header > 20:
        found.add("IPv4 options")
    if ones_complement(packet[:header]) != 0xFFFF:
        found.add("IPv4 checksum")
    if length > len(packet) or length < header:
        found.add("IPv4 length")
    if fragment & 0x3FFF:
        return found | {"IPv4 fragment"}, None
    payload = packet[header:length]
    pseudo = packet[12:20] + struct.pack("!HH", protocol, len(payload))
    return found, Datagram(protocol, payload, pseudo, has_pseudo_in_icmp=False)


def _ipff(packet: bytes) -> tuple[set[str], Datagram | None]:
    if len(packet) < 20:
        return {"IPFF header"}, None
    source, destination, _, _, length = struct.unpack_from("!QQBBH", packet)
    found = set()
    if source >> 60 != 5:
        found.add("IPFF version")
    if source >> 50 & 0x3FF:
        found.add("IPFF reserved bits")
    protocol = destination >> 50
    for address in (source, destination):
        if any((address >> 10 * field & 0x3FF) > 999 for field in range(_FIVE_FIELDS)):
            found.add("IPFF address field over 999")
    if length > len(packet) - 20:
        found.add("IPFF length")
    payload = packet[20 : 20 + length]
    pseudo = struct.pack("!QQHH", source & (1 << 50) - 1, destination, 0, len(payload))
    return found, Datagram(protocol, payload, pseudo, has_pseudo_in_icmp=True)


def _upper(datagram: Datagram) -> Iterator[str]:
    known = {TCP: _tcp, UDP: _udp, ICMPV5_OVER_IPFF: _mops, ICMPV5_OVER_IPV4: _mops}
    if datagram.protocol == ICMPV5_OVER_IPFF and not datagram.has_pseudo_in_icmp:
        yield from _icmp(datagram.payload)
    elif reader := known.get(datagram.protocol):
        yield from reader(datagram)
    else:
        yield f"protocol {datagram.protocol}"


# TCP and UDP ---------------------------------------------------------------------------------------------------------


def _tcp(datagram: Datagram) -> Iterator[str]:
    segment = datagram.payload
    if len(segment) < 20:
        yield "TCP header"
        return
    words, flags = segment[12] >> 4, segment[13]
    if ones_complement(datagram.pseudo + segment) != 0xFFFF:
        yield "TCP checksum"
    if words < 5 or words * 4 > len(segment):
        yield "TCP data offset"
        return
    if segment[12] & 0x0F:
        yield "TCP reserved bits"
    syn, fin, reset, acknowledges = (bool(flags & bit) for bit in (2, 1, 4, 16))
    if syn + fin + reset > 1 or not (syn or reset or acknowledges):
        yield "TCP flags"
    yield from _options(segment[20 : words * 4], syn=syn)


def _options(area: bytes, *, syn: bool) -> Iterator[str]:
    at, seen = 0, set()
    while at < len(area):
        kind = area[at]
        if kind == 0:
            if any(area[at:]):
                yield "TCP padding"
            return
        if kind == 1:
            at += 1
            continue
        length = area[at + 1] if at + 1 < len(area) else 0
        if length < 2 or at + length > len(area):
            yield "TCP option length"
            return
        if kind in seen:
            yield f"TCP option {kind} twice"
        seen.add(kind)
        yield from _option(kind, area[at : at + length], syn=syn)
        at += length


def _option(kind: int, option: bytes, *, syn: bool) -> Iterator[str]:
    if kind in _FIXED and len(option) != _FIXED[kind]:
        yield f"length of TCP option {kind}"
    if kind == 5 and (len(option) - 2) % 8:
        yield "length of TCP option 5"
    if kind in (2, 3, 4) and not syn:
        yield f"TCP option {kind} without SYN"
    if kind in (MIGRATE_PERMITTED, MIGRATE_OPTION):
        yield from _migrate_option(kind, option, syn=syn)
    if kind == REHASH and len(option) != 16:
        yield "length of the Rehash option"
    elif kind == REHASH and struct.unpack_from("!H", option, 2)[0] not in (0x0001, 0x0010):
        yield "header of the Rehash option"


def _migrate_option(kind: int, option: bytes, *, syn: bool) -> Iterator[str]:
    name = "Migrate" if kind == MIGRATE_OPTION else "Migrate-Permitted"
    if len(option) not in ((19,) if kind == MIGRATE_OPTION else (3, 20)):
        yield f"length of the {name} option"
    elif kind == MIGRATE_PERMITTED and (option[2] == 0) != (len(option) == 3):
        yield "Curve ID of the Migrate-Permitted option"
    if not syn:
        yield f"{name} without SYN"


def _udp(datagram: Datagram) -> Iterator[str]:
    if not datagram.has_pseudo_in_icmp:
        if len(datagram.payload) < 8 or struct.unpack_from("!H", datagram.payload, 4)[0] != len(datagram.payload):
            yield "UDP length"
            return
        if datagram.payload[6:8] != b"\0\0" and ones_complement(datagram.pseudo + datagram.payload) != 0xFFFF:
            yield "UDP checksum"
    elif len(datagram.payload) < 6:
        yield "UDP header"
    elif ones_complement(datagram.pseudo + datagram.payload) != 0xFFFF:
        yield "UDP checksum"


# ICMP ----------------------------------------------------------------------------------------------------------------


def _icmp(message: bytes) -> Iterator[str]:
    if len(message) < 8:
        yield "ICMP header"
    if message and ones_complement(message) != 0xFFFF:
        yield "ICMP checksum"
    if message and message[0] not in (*ORDINARY_ICMP, SACIP):
        yield f"ICMP type {message[0]}"
    elif message[:1] == bytes([SACIP]):
        if message[1:2] > b"\0":
            yield "code of the notification"
        if len(message) > 8:
            yield "trailing bytes"


# MOPS ----------------------------------------------------------------------------------------------------------------


def _mops(datagram: Datagram) -> Iterator[str]:
    message = datagram.payload
    pseudo = datagram.pseudo if datagram.has_pseudo_in_icmp else b""
    if len(message) < 4:
        yield "ICMPv5 header"
        return
    if ones_complement(pseudo + message) != 0xFFFF:
        yield "ICMPv5 checksum"
    (kind,) = struct.unpack_from("!H", message)
    shape = {MIGRATE: (24, 8), ANYCAST: (28, 0), NAT: (24, 4)}.get(kind)
    if shape is None:
        yield f"ICMPv5 type {kind}"
        return
    fixed, each = shape
    if len(message) < fixed:
        yield "message cut short"
        return
    version, code, third, last, first_word, second_word = struct.unpack_from("!BBBBQQ", message, 4)
    if version != 1:
        yield "version"
    if code > (3 if kind == MIGRATE else 0):
        yield "code"
    if last or (third and kind != NAT) or (kind == ANYCAST and second_word >> 50):
        yield "reserved"
    if kind == NAT and third == 0:
        yield "level 0"
    if first_word >> 50 not in (TCP, UDP):
        yield "transport protocol"
    yield from _entries(message[fixed:], second_word >> 50, each)


def _entries(entries: bytes, count: int, each: int) -> Iterator[str]:
    if not each:
        if entries:
            yield "trailing bytes"
        return
    if count == 0:
        yield "count 0"
    if len(entries) < count * each:
        yield "message cut short"
    elif len(entries) > count * each:
        yield "trailing bytes" if (len(entries) - count * each) % each else "entries beyond Count"
    whole = [entries[at : at + 4] for at in range(0, len(entries) - each + 1, each)]
    ports = [struct.unpack("!HH", one) for one in whole]
    if 0 in {port for pair in ports for port in pair}:
        yield "port 0"
    for name, side in (("previous", 0), ("migrated", 1)):
        chosen = [pair[side] for pair in ports]
        if len(set(chosen)) != len(chosen):
            yield f"{name} port twice"
