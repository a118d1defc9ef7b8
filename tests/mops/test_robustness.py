# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever arrives, the host goes on."""

import random
import struct

from tests.lab.host import Lab
from tests.lab.wire import DUT_MAC, ICMP_PROTOCOL, OWN_MAC, SYNS, internet_checksum, network_packet, number
from tests.mops.messages import migrate


def frames(chance: random.Random, address: str, dut: str, network: str, ethertype: bytes) -> list[bytes]:
    """Sound packets of every kind, each with some bytes changed and cut somewhere."""
    message = migrate(address, address, [(7, 7, 7)])
    kinds = [
        (6, bytes.fromhex("0403000700000000000000005002ffff00000000")),
        (ICMP_PROTOCOL[network], message),
        (17, bytes(12)),
        (99, b"x"),
    ]
    result = []
    for protocol, payload in kinds:
        head = DUT_MAC + OWN_MAC + ethertype
        good = head + network_packet(network, address, dut, protocol, payload)
        for _ in range(300):
            bad = bytearray(good)
            for _ in range(chance.randrange(4)):
                bad[chance.randrange(14, len(bad))] = chance.randrange(256)
            result.append(bytes(bad[: chance.randrange(14, len(bad) + 1)]))
    return result


def test_ping_is_answered(lab: Lab) -> None:
    address = lab.address("ipv4")
    echo = struct.pack("!BBHHH", 8, 0, 0, 77, 1) + b"abcdefgh"
    echo = echo[:2] + internet_checksum(echo).to_bytes(2, "big") + echo[4:]
    answer = None
    for _ in range(SYNS):
        lab.wire.send("ipv4", address, 1, echo)
        if answer := lab.wire.take(lambda seen: seen.protocol == 1, 1.0):
            break
    assert answer is not None
    assert (answer.destination, answer.payload[0], answer.payload[4:]) == (number(address), 0, echo[4:])


def test_garbage_harms_nothing(lab: Lab, network: str) -> None:
    chance = random.Random(3)
    peer = lab.peer(network).connect()
    ethertype = (0x88B5 if network == "ipff" else 0x0800).to_bytes(2, "big")
    dut = "8.8.8.8.8" if network == "ipff" else "198.18.0.1"
    for frame in frames(chance, lab.address(network), dut, network, ethertype):
        lab.wire.raw.send(frame)
    for length in range(1, 60):
        lab.wire.raw.send((DUT_MAC + OWN_MAC + b"\x08\x06" + chance.randbytes(60))[: 13 + length])
    assert peer.echo(b"alive", 3.0)
    assert lab.process.poll() is None
