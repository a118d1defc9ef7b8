# SPDX-License-Identifier: GPL-2.0-or-later
"""The other end of a connection of a Rehash host, segment by segment."""

import struct
from typing import NamedTuple

from tests.lab.host import Lab
from tests.lab.wire import ACK, DUT, SYN, Peer, Seen, number

INIT, ADDR = 0x0001, 0x0010
KIND = 253
NONCE = 0x5EED0001
SYN_OPTIONS = bytes.fromhex("020405b4") + bytes.fromhex("0402") + bytes.fromhex("0103030a") + b"\1\1"


class Option(NamedTuple):
    """What a Rehash option says."""

    control: int
    nonce: int
    old: int
    new: int


def option_of(seen: Seen) -> Option | None:
    """The Rehash option of a segment; there is one at most, and its options are well-formed."""
    options, found = seen.options, []
    assert len(options) <= 40
    while options:
        if options[0] == 0:
            break
        length = 1 if options[0] == 1 else options[1]
        assert 1 <= length <= len(options)
        if options[0] == KIND:
            assert length == 16
            found.append(Option(*struct.unpack("!HIII", options[2:16])))
        options = options[length:]
    assert len(found) <= 1
    return found[0] if found else None


def control_of(seen: Seen) -> int:
    option = option_of(seen)
    return 0 if option is None else option.control


def packed(control: int, nonce: int, old: str | int, new: str | int) -> bytes:
    addresses = [number(one) if isinstance(one, str) else one for one in (old, new)]
    return struct.pack("!BBHIII", KIND, 16, control, nonce, *addresses)


class RehashPeer(Peer):
    """A peer that knows TCP Rehash."""

    nonce = NONCE
    dut_nonce = 0

    @classmethod
    def at(cls, lab: Lab, address: str | None = None, port: int = 1027, service: int = 7) -> "RehashPeer":
        return cls(lab.wire, "ipv4", address or lab.address("ipv4"), port, service)

    def init(self) -> bytes:
        return packed(INIT, self.nonce, 0, self.address)

    def connect(self, rehash: bool = True) -> "RehashPeer":
        self.segment(SYN, options=SYN_OPTIONS + (self.init() if rehash else b""))
        answer = self.hears(SYN | ACK)
        assert answer is not None, "no SYN-ACK"
        option = option_of(answer)
        assert (option is not None) is rehash
        if option is not None:
            assert option == Option(INIT, option.nonce, 0, answer.source)
            self.dut_nonce = option.nonce
        self.nxt += 1
        self.rcv_nxt = (answer.sequence + 1) % 2**32
        self.segment(ACK)
        return self

    def accept(self, lab: Lab, rehash: bool = True) -> int:
        """Be connected to, at this port; the connection of the upper tester."""
        opening = lab.start("connect", address=self.address, port=self.port, timeout_s=2)
        syn = self.wire.take(
            lambda seen: seen.destination == number(self.address) and seen.protocol == 6 and bool(seen.flags & SYN)
        )
        assert syn is not None
        option = option_of(syn)
        assert option is not None
        assert option == Option(INIT, option.nonce, 0, syn.source)
        self.service, self.rcv_nxt, self.dut_nonce = syn.ports[0], (syn.sequence + 1) % 2**32, option.nonce
        self.segment(SYN | ACK, options=SYN_OPTIONS + (self.init() if rehash else b""))
        self.nxt += 1
        return int(lab.result(opening)["connection"])

    def move(self, address: str, data: bytes = b"", **changes: int) -> None:
        """Send REHASH-ADDR from a new address."""
        old, self.address = self.address, address
        fields = {"control": ADDR, "nonce": self.dut_nonce, "old": number(old), "new": number(address), **changes}
        self.segment(ACK, data, options=packed(**fields))
        self.nxt += len(data)

    def hears_option(self, control: int, timeout: float = 1.0) -> Seen | None:
        """The next segment to this tuple with such an option."""
        return self.wire.take(lambda seen: self.is_mine(seen) and control_of(seen) == control, timeout)

    def is_acknowledged(self) -> bool:
        """Whether REHASH-INIT comes back, as it should stand."""
        seen = self.hears_option(INIT)
        return seen is not None and option_of(seen) == Option(INIT, self.dut_nonce, 0, seen.source)


def dut_moves(lab: Lab, address: str) -> None:
    """Have the host move."""
    lab.call("move", address=address)
    lab.wire.dut["ipv4"] = address


def home(lab: Lab) -> None:
    """Have the host where it started."""
    if lab.wire.dut["ipv4"] != DUT["ipv4"]:
        dut_moves(lab, DUT["ipv4"])
