# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints a capture decoded, one line a packet: ``python -m layers CAPTURE``."""

import argparse
import os
import struct
import sys

from scapy.error import Scapy_Exception
from scapy.utils import PcapReader

from layers.binding import declared
from layers.describe import describe


def main(argv: list[str] | None = None) -> int:
    """Print the capture; the exit code is 2, after one line on standard error, for a file that is none."""
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
        show(arguments.capture)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, EOFError, Scapy_Exception, struct.error) as error:
        reason = getattr(error, "strerror", None) or error
        print(f"{arguments.capture}: cannot read the capture: {reason}", file=sys.stderr)
        return 2
    return 0


def show(capture: str) -> None:
    """One line a packet: number, seconds since the first one, description."""
    start = None
    with PcapReader(capture) as reader:
        for number, packet in enumerate(reader, 1):
            start = packet.time if start is None else start
            print(f"{number:5} {packet.time - start:14.9f}  {describe(packet)}")


if __name__ == "__main__":
    sys.exit(main())
