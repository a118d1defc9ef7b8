# SPDX-License-Identifier: GPL-2.0-or-later
"""Dissects mutated messages and reports the first one that raises: ``python -m layers.fuzz --count 1000000``.

Every message of ``layers.samples`` is a seed twice: as a frame, and layer by layer with the layer's own class, so that
an exception of ours cannot hide behind Scapy, which turns a payload that raises into Raw.
"""

import argparse
import random
import sys
import traceback
from collections.abc import Callable
from typing import Any

from scapy.config import conf
from scapy.layers.l2 import Ether

from layers import samples
from layers.binding import bind_defaults
from layers.describe import describe
from layers.ipff import IPFF24
from layers.packet import TolerantPacket
from layers.tcp_options import TimestampOption, option_area, registered, walk_options

ETHERNET = 14

Seed = tuple[Any, bytes]


def seeds() -> list[Seed]:
    found: dict[Seed, None] = {}
    for frame in samples.frames().values():
        packet = Ether(bytes(frame))
        found[Ether, bytes(frame)] = None
        for layer in packet.iterpayloads():
            if isinstance(layer, TolerantPacket):
                found[type(layer), bytes(layer)] = None
        for raw in walk_options(option_area(packet)) if packet.haslayer("TCP") else ():
            found.update({(cls, raw.raw): None for cls in (TimestampOption, *registered())})
    found[IPFF24, bytes(IPFF24(src=samples.NODE, dst=samples.SERVER) / samples.PLAIN)] = None
    return list(found)


def mutated(data: bytes, rng: random.Random, kept: int) -> bytes:
    """The data with one to four changes after the first ``kept`` bytes."""
    body = bytearray(data[kept:])
    for _ in range(rng.randint(1, 4)):
        if not body:
            body += rng.randbytes(1)
        rng.choice(_CHANGES)(body, rng)
    return data[:kept] + bytes(body)


def probe(cls: Any, data: bytes) -> None:
    """Dissect and describe; rebuild a layer of ours, too, which must give the very bytes again."""
    packet = cls(data)
    if cls is Ether:
        describe(packet)
        return
    packet.summary()
    if not data:  # Scapy then builds the defaults.
        return
    packet.raw_packet_cache = None
    rebuilt = bytes(packet)
    if rebuilt != data:
        raise AssertionError(f"rebuilt as {rebuilt.hex()}")


def run(count: int, seed: int = 0) -> str:
    """Probe ``count`` mutated inputs; the report of the first failure, or nothing."""
    rng = random.Random(seed)
    corpus = seeds()
    strict, conf.debug_dissector = conf.debug_dissector, False
    try:
        for number in range(count):
            cls, whole = rng.choice(corpus)
            data = mutated(whole, rng, ETHERNET if cls is Ether else 0)
            try:
                probe(cls, data)
            except Exception:
                return f"input {number} of seed {seed}: {cls.__name__}({data.hex()})\n{traceback.format_exc()}"
    finally:
        conf.debug_dissector = strict
    return ""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m layers.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    bind_defaults()
    failure = run(arguments.count, arguments.seed)
    sys.stdout.write(failure or f"{arguments.count} mutated inputs dissected, seed {arguments.seed}: no exception\n")
    return 1 if failure else 0


def _flip(body: bytearray, rng: random.Random) -> None:
    body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)


def _extreme(body: bytearray, rng: random.Random) -> None:
    body[rng.randrange(len(body))] = rng.choice((0, 1, 2, 3, 4, 20, 0x7F, 0x80, 0xFE, 0xFF))


def _cut(body: bytearray, rng: random.Random) -> None:
    del body[rng.randrange(len(body)) :]


def _drop(body: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(body))
    del body[start : start + rng.randint(1, 8)]


def _insert(body: bytearray, rng: random.Random) -> None:
    start = rng.randint(0, len(body))
    body[start:start] = rng.randbytes(rng.randint(1, 8))


def _double(body: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(body))
    body[start:start] = body[start : start + rng.randint(1, 32)]


_CHANGES: list[Callable[[bytearray, random.Random], None]] = [_flip, _extreme, _cut, _drop, _insert, _double]

if __name__ == "__main__":
    sys.exit(main())
