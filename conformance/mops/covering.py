# SPDX-License-Identifier: GPL-2.0-or-later
"""Checksums of messages that are right by another reading of what they cover than that of the profile."""

from collections.abc import Callable

from scapy.utils import checksum

from conformance.mops.migrate import Octets
from testbed.case.case import Case
from testbed.wire.station import Station

Pseudo = tuple[int, int, int, int]
"""What a pseudo-header says: source, destination, protocol, length."""

_OTHER = {1: 58, 58: 1}
"""What the drafts say of the Protocol: each of them has one of the two."""

_OTHER_PSEUDO_HEADER: dict[str, Callable[[int, int, int, int], Pseudo]] = {
    "another protocol": lambda source, destination, protocol, length: (source, destination, _OTHER[protocol], length),
    "another source": lambda source, destination, protocol, length: (source ^ 1, destination, protocol, length),
    "another destination": lambda source, destination, protocol, length: (source, destination ^ 1, protocol, length),
    "another length": lambda source, destination, protocol, length: (source, destination, protocol, length + 1),
}
OTHER_COVERING = ("with or without", *_OTHER_PSEUDO_HEADER)
"""No pseudo-header where the profile says one, one where it says none; and one that is of another packet."""


def covering_otherwise(case: Case, otherwise: str, station: Station, destination: str, octets: bytes) -> Octets:
    """The message with a checksum over something else than the profile says."""
    network, ixit = case.network, case.setup.profile.ixit.ipff.all[0]
    is_plain = ixit.icmp_checksum == "plain"
    ends = station.number, network.number(destination), ixit.icmp_pseudo_protocol, len(octets)
    if otherwise in _OTHER_PSEUDO_HEADER:
        beside = network.pseudo_header(*_OTHER_PSEUDO_HEADER[otherwise](*ends))
    else:
        beside = network.pseudo_header(*ends) if is_plain else b""
    value = int(checksum(beside + octets[:2] + bytes(2) + octets[4:]))
    return Octets(octets, lambda right: value)
