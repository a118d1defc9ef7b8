# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel carries: flows of IPv4 that the NAT has decided about, as entries of its connection tracking.

The NAT decides every mapping, filters, and knows all messages; of a flow that has exchanged some packets it makes an
entry (`Conntrack`), and the kernel translates and forwards the rest. Rules see to it that the kernel carries nothing
else: what has no entry, and every SYN, is handed over and goes no further; FIN and RST are told of. So the frames of
IPv4 that the raw sockets get are left alone. No program, no root beyond the namespace; where the kernel refuses, the
NAT carries everything itself, which is all that IPFF ever has.
"""

import socket
import struct
from collections.abc import Callable, Sequence

from reference.bump.tcp import ACK, FIN, RST, SYN
from reference.middlebox.nat.mappings import Endpoint, Flow, Mapping
from reference.middlebox.nat.settings import NatSettings
from reference.middlebox.packet import TCP, UDP
from reference.system import nfnetlink
from reference.system.conntrack import Conntrack, Entry
from reference.system.linux import leave_out_ethertype, write_sysctl
from reference.system.log import log
from reference.system.nfnetlink import ACCEPT, DROP, expression, nested, number
from reference.system.packet_log import PacketLog
from reference.system.rtnetlink import Rtnetlink

_TO_HANDLE, _TO_NOTE = 1, 2  # groups
_MOST_YOUNG = 10_000
_BEFORE_DESTINATION_NAT, _DESTINATION_NAT, _SOURCE_NAT = -150, -100, 100
_REGISTER, _VERDICT = 1, 0
_STATE_ESTABLISHED = 2
_L4_PROTOCOL, _TRANSPORT, _FLAGS_AT = 16, 2, 13
_EQUAL, _UNEQUAL = 0, 1
_NO_REPLY_TO_ARP = 8
_IPV4 = 0x0800

Rule = tuple[bytes, ...]


def _compare(how: int, content: bytes) -> bytes:
    return expression("cmp", number(1, _REGISTER), number(2, how), nested(3, nfnetlink.attribute(1, content)))


def _masked(content: bytes) -> bytes:
    zero = nfnetlink.attribute(1, bytes(len(content)))
    mask = nested(4, nfnetlink.attribute(1, content))
    return expression(
        "bitwise", number(1, _REGISTER), number(2, _REGISTER), number(3, len(content)), mask, nested(5, zero)
    )


def _flags(mask: int, how: int, wanted: int) -> Rule:
    """Of TCP, flags under a mask."""
    place = number(1, _REGISTER), number(2, _TRANSPORT), number(3, _FLAGS_AT), number(4, 1)
    return (
        expression("meta", number(1, _REGISTER), number(2, _L4_PROTOCOL)),
        _compare(_EQUAL, bytes([TCP])),
        expression("payload", *place),
        _masked(bytes([mask])),
        _compare(how, bytes([wanted])),
    )


def _established() -> Rule:
    state = struct.pack("=I", _STATE_ESTABLISHED)
    return expression("ct", number(1, _REGISTER), number(2, 0)), _masked(state), _compare(_UNEQUAL, bytes(4))


def _log(group: int) -> bytes:
    return expression("log", nfnetlink.attribute(1, struct.pack("!H", group)))


def _verdict(code: int) -> bytes:
    return expression("immediate", number(1, _VERDICT), nested(2, nested(2, number(1, code))))


RULES: tuple[Rule, ...] = (
    (*_flags(SYN | ACK, _EQUAL, SYN), _log(_TO_HANDLE), _verdict(DROP)),
    (*_established(), *_flags(FIN | RST, _UNEQUAL, 0), _log(_TO_NOTE)),
    (*_established(), _verdict(ACCEPT)),
    (_log(_TO_HANDLE),),
)


def _timers(settings: NatSettings) -> tuple[tuple[tuple[str, ...], float], ...]:
    """The kernel's own timers: what it prolongs a flow by when a packet of it passes."""
    closing = ("fin_wait", "close_wait", "last_ack", "time_wait", "close", "syn_sent", "syn_recv")
    return (
        (("tcp_timeout_established",), settings.established_s),
        (tuple(f"tcp_timeout_{name}" for name in closing), settings.transitory_s),
        (("udp_timeout", "udp_timeout_stream"), settings.udp_s),
    )


class KernelPath:
    """The flows that the kernel carries.

    `take` gets an IPv4 packet that is to be handled, with the index of its interface, `note` one that has been carried.
    """

    def __init__(
        self, take: Callable[[int, bytes], None], note: Callable[[int, bytes], None], settings: NatSettings
    ) -> None:
        self._take, self._note, self._settings = take, note, settings
        self._lasts_s = {TCP: settings.established_s, UDP: settings.udp_s}
        self._young: dict[Flow, int] = {}
        self._carried: dict[Flow, Entry] = {}
        self._conntrack = Conntrack()
        self._logs = PacketLog(_TO_HANDLE), PacketLog(_TO_NOTE)

    def set_up(
        self, wires: Sequence[str], raws: Sequence[socket.socket], prefixes: Sequence[tuple[int, int]]
    ) -> dict[int, Callable[[], None]]:
        """Have the kernel forward what has an entry; what is to be called when a descriptor can be read."""
        nat = (
            nfnetlink.Chain("in", nfnetlink.PREROUTING, _DESTINATION_NAT, "nat"),
            nfnetlink.Chain("out", nfnetlink.POSTROUTING, _SOURCE_NAT, "nat"),
        )
        only = nfnetlink.Chain("only", nfnetlink.PREROUTING, _BEFORE_DESTINATION_NAT, "filter", DROP, RULES)
        nfnetlink.load("path", (*nat, only))
        write_sysctl("ipv4/conf/all/arp_ignore", _NO_REPLY_TO_ARP)
        with Rtnetlink() as netlink:
            for wire, (address, length) in zip(wires, prefixes, strict=True):
                write_sysctl(f"ipv4/conf/{wire}/rp_filter", 0)
                netlink.add_address(wire, address.to_bytes(4, "big"))
                prefix = address >> (32 - length) << (32 - length)
                netlink.add_route(wire, prefix.to_bytes(4, "big"), length, quickack=False)
            netlink.add_route(wires[-1], bytes(4), 0, quickack=False)  # beyond the outside's link: who answers ARP
        if not write_sysctl("ipv4/ip_forward", 1):
            raise OSError(0, "ip_forward cannot be set")
        for names, seconds in _timers(self._settings):
            for name in names:
                write_sysctl(f"netfilter/nf_conntrack_{name}", max(1, round(seconds)))
        for raw in raws:
            leave_out_ethertype(raw, _IPV4)
        handle, noted = self._logs
        return {
            handle.fileno(): lambda: self._read(handle, self._take),
            noted.fileno(): lambda: self._read(noted, self._note),
        }

    @staticmethod
    def _read(packets: PacketLog, take: Callable[[int, bytes], None]) -> None:
        try:
            for interface, packet in packets.packets():
                take(interface, packet)
        except OSError as error:
            log(f"packets from the kernel: {error.strerror}")

    def __len__(self) -> int:
        return len(self._carried)

    # Flows -------------------------------------------------------------------------------------------------------

    def passed(self, mapping: Mapping, remote: Endpoint, flow: Flow) -> bool:
        """A packet of an open flow has passed; after some the kernel carries the rest. Whether it does."""
        if flow in self._carried:
            return True
        count = self._young.get(flow, 0) + 1
        if count < self._settings.kernel_after:
            if count > 1 or len(self._young) < _MOST_YOUNG:
                self._young[flow] = count
            return False
        self._young.pop(flow, None)
        entry = Entry(mapping.protocol, mapping.inside, remote, mapping.outside)
        try:
            self._conntrack.add(entry, self._lasts_s[mapping.protocol])
        except FileExistsError:
            self._conntrack.delete(entry)
            return False
        except OSError as error:
            log(f"the kernel carries no flow: {error.strerror}")
            return False
        self._carried[flow] = entry
        return True

    def is_carried(self, flow: Flow) -> bool:
        """Whether the kernel carries a flow, and has not ended it for want of packets."""
        entry = self._carried.get(flow)
        if entry is None:
            return False
        if self._conntrack.is_there(entry):
            return True
        del self._carried[flow]
        return False

    def ended(self, flow: Flow) -> None:
        """A flow has ended."""
        self._young.pop(flow, None)
        entry = self._carried.pop(flow, None)
        if entry is not None:
            try:
                self._conntrack.delete(entry)
            except OSError:
                return
