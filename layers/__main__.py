# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints a capture decoded, one line a packet: ``python -m layers CAPTURE``."""

import argparse
import os
import sys
from decimal import Decimal

from scapy.config import conf
from scapy.packet import Packet, Raw

from layers.binding import declared
from layers.capture import Captured, CaptureError, captured
from layers.describe import describe


def main(argv: list[str] | None = None) -> int:
    """Print the capture; the exit code is 2, after one line on standard error, where it cannot be read to its end."""
    parser = argparse.ArgumentParser(prog="python -m layers", description=__doc__)
    parser.add_argument("capture", help="pcap or pcapng file")
    for binding in declared():
        parser.add_argument(
            binding.option,
            type=binding.value,
            default=binding.default,
            choices=binding.readings or None,
            metavar=None if binding.readings else "N",
            help=f"{binding.meaning} (default {binding.shown})",
        )
    arguments = parser.parse_args(argv)
    for binding in declared():
        binding.bind(getattr(arguments, binding.key))
    try:
        fault = show(arguments.capture)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return 0
        fault = f"cannot print the packets: {error.strerror}"
    if fault:
        print(f"{arguments.capture}: {fault}", file=sys.stderr)
    return 2 if fault else 0


def show(capture: str) -> str:
    """One line a packet: number, seconds since the first one if there are stamps, description. Why it ends early."""
    start = None
    try:
        for number, packet in enumerate(captured(capture), 1):
            start = packet.ns if start is None else start
            time = "" if packet.ns is None or start is None else f"{Decimal(packet.ns - start).scaleb(-9):.9f}"
            print(f"{number:5} {time:>14}  {describe(decoded(packet))}")
    except CaptureError as error:
        return str(error)
    return ""


def decoded(captured: Captured) -> Packet:
    """The packet with its layers; CaptureError where nothing here reads its link type."""
    link = conf.l2types.num2layer.get(captured.link_type)
    if link is None:
        raise CaptureError(f"packets of link type {captured.link_type} cannot be decoded here")
    try:
        packet = link(captured.data) if captured.data else Raw()
    except Exception:  # As Scapy does with the layers above: bytes that no header can be read from are bytes.
        packet = Raw(captured.data)
    packet.wirelen = captured.wire_length
    return packet


if __name__ == "__main__":
    sys.exit(main())
