# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints a capture decoded, one line a packet: ``python -m layers CAPTURE``."""

import argparse
import os
import struct
import sys

from scapy.error import Scapy_Exception
from scapy.utils import PcapReader

from layers import ipff, msocks
from layers.describe import describe


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m layers", description=__doc__)
    parser.add_argument("capture", help="pcap or pcapng file")
    for option, default, meaning in (
        ("--ethertype", ipff.DEFAULT_ETHERTYPE, "EtherType of IPFF"),
        ("--icmpv5-protocol", ipff.DEFAULT_ICMPV5_PROTOCOL, "IPFF protocol number of ICMPv5"),
        ("--ipv4-protocol", ipff.DEFAULT_IPV4_PROTOCOL, "IPv4 protocol number of ICMPv5"),
        ("--msocks-port", msocks.DEFAULT_PORT, "TCP port of the MSOCKS proxy"),
    ):
        parser.add_argument(
            option,
            type=lambda text: int(text, 0),
            default=default,
            metavar="N",
            help=f"{meaning} (default {default:#x})",
        )
    arguments = parser.parse_args(argv)
    ipff.bind_ethertype(arguments.ethertype)
    ipff.bind_icmpv5_protocol(arguments.icmpv5_protocol)
    ipff.bind_ipv4_protocol(arguments.ipv4_protocol)
    msocks.bind_port(arguments.msocks_port)
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
    start = None
    with PcapReader(capture) as reader:
        for number, packet in enumerate(reader, 1):
            start = packet.time if start is None else start
            print(f"{number:5} {packet.time - start:14.9f}  {describe(packet)}")


if __name__ == "__main__":
    sys.exit(main())
