# SPDX-License-Identifier: GPL-2.0-or-later
"""Addresses as numbers and as text, and the IPv6 address under which the kernel knows an IPFF address.

An IPFF address is 50 bits, five fields of ten, written `525.8.78.3.9`. Towards the kernel it becomes the interface part
of an IPv6 address. The words of the /64 prefix add up to 0xFFFF, which is zero in one's complement: in a checksum the
addresses count the same in both.
"""

import ipaddress
import socket

IPFF_MASK = (1 << 50) - 1
KERNEL_PREFIX = bytes.fromhex("fd524f414d50661b")
LARGEST_FIELD = 999
IPFF_TEXT_HELP = f"five numbers 0..{LARGEST_FIELD} separated by dots"


def ipff_from_text(text: str) -> int:
    """The number of a dotted IPFF address; ValueError when it is none."""
    fields = text.split(".")
    if len(fields) != 5 or not all(
        field.isascii() and field.isdigit() and int(field) <= LARGEST_FIELD for field in fields
    ):
        raise ValueError(f"{text!r} is no IPFF address ({IPFF_TEXT_HELP})")
    number = 0
    for field in fields:
        number = number << 10 | int(field)
    return number


def ipff_text(number: int) -> str:
    """Dotted form of an IPFF address."""
    return ".".join(str(number >> shift & 0x3FF) for shift in (40, 30, 20, 10, 0))


def ipv4_from_text(text: str) -> int:
    """The number of a dotted IPv4 address; ValueError when it is none."""
    return int(ipaddress.IPv4Address(text))


def ipv4_text(number: int) -> str:
    """Dotted form of an IPv4 address."""
    return ".".join(str(number >> shift & 0xFF) for shift in (24, 16, 8, 0))


def ipv4_as_ipff(number: int) -> int:
    """The IPFF address 0.a.b.c.d that stands for the IPv4 address a.b.c.d."""
    return (number >> 24) << 30 | (number >> 16 & 0xFF) << 20 | (number >> 8 & 0xFF) << 10 | (number & 0xFF)


def ipv4_of_ipff(number: int) -> int | None:
    """The IPv4 address that an IPFF address stands for; None when a field does not fit."""
    a, b, c, d = (number >> shift & 0x3FF for shift in (30, 20, 10, 0))
    if number >> 40 or max(a, b, c, d) > 255:
        return None
    return a << 24 | b << 16 | c << 8 | d


def kernel_address(number: int) -> bytes:
    """The IPv6 address under which the kernel knows an IPFF address."""
    return KERNEL_PREFIX + number.to_bytes(8, "big")


def to_kernel_text(text: str) -> str:
    """A dotted address of either network as an IPv6 socket of the host namespace wants it."""
    if text.count(".") == 4:
        return socket.inet_ntop(socket.AF_INET6, kernel_address(ipff_from_text(text)))
    return f"::ffff:{ipv4_text(ipv4_from_text(text))}"


def from_kernel_text(text: str) -> str:
    """The address of a socket of the host namespace in the notation of its network."""
    if "." in text:
        return text.removeprefix("::ffff:")
    packed = socket.inet_pton(socket.AF_INET6, text.partition("%")[0])
    if packed.startswith(KERNEL_PREFIX):
        return ipff_text(int.from_bytes(packed[8:], "big") & IPFF_MASK)
    return text
