# SPDX-License-Identifier: GPL-2.0-or-later
"""Addresses as a profile writes them: checked, and IPFF addresses as numbers."""

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator

from profiles.table import Allowed

MAXIMUM_FIELD = 999
"""The largest value of one of the five 10-bit fields of an IPFF address that a host may have."""

_FIELDS = 5
_FIELD_BITS = 10

IPFF_PLACES = (MAXIMUM_FIELD + 1) ** _FIELDS
"""How many addresses a host may have."""


def parse_ipff(address: str) -> int:
    """The 50-bit number behind a dotted address of five fields, most significant first; ValueError otherwise."""
    fields = address.split(".")
    if len(fields) != 5 or not all(
        re.fullmatch(r"[0-9]{1,3}", field) and int(field) <= MAXIMUM_FIELD for field in fields
    ):
        raise ValueError(f"must be an IPFF address, five fields of 0..{MAXIMUM_FIELD} with dots between: 525.8.78.3.9")
    number = 0
    for field in fields:
        number = number << 10 | int(field)
    return number


def ipff_place(number: int) -> int:
    """How many addresses that a host may have come before this one; -1 for one that no host may have."""
    place = 0
    for shift in range((_FIELDS - 1) * _FIELD_BITS, -1, -_FIELD_BITS):
        field = number >> shift & (1 << _FIELD_BITS) - 1
        if field > MAXIMUM_FIELD:
            return -1
        place = place * (MAXIMUM_FIELD + 1) + field
    return place


def ipff_at(place: int) -> int:
    """The address, as a number, that so many come before: none has a field above the maximum."""
    number = 0
    for field in range(_FIELDS):
        place, value = divmod(place, MAXIMUM_FIELD + 1)
        number |= value << field * _FIELD_BITS
    return number


def _check_ipff(address: str) -> str:
    parse_ipff(address)
    return address


def _check_ipv4(address: str) -> str:
    try:
        return str(ipaddress.IPv4Address(address))
    except ValueError:
        raise ValueError("must be an IPv4 address: 198.18.0.1") from None


def _check_mac(address: str) -> str:
    if not re.fullmatch(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", address) or int(address[1], 16) & 1:
        raise ValueError("must be the Ethernet address of one interface, in lower case: 02:00:00:00:00:01")
    return address


IPFFAddress = Annotated[
    str, AfterValidator(_check_ipff), Allowed("IPFF address: five fields of 0 to 999, `525.8.78.3.9`")
]
IPv4Address = Annotated[str, AfterValidator(_check_ipv4), Allowed("IPv4 address")]
MacAddress = Annotated[str, AfterValidator(_check_mac), Allowed("`02:00:00:00:00:01`, lower case")]
