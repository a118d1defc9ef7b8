# SPDX-License-Identifier: GPL-2.0-or-later
"""Checksums of messages that are right by another reading of what they cover than that of the profile."""

from collections.abc import Callable

from scapy.utils import checksum

from conformance.mops.migrate import Octets
from testbed.case.case import Case
from testbed.interruptions import NotApplicable
from testbed.wire.network import Network
from testbed.wire.station import Station

OTHER_COVERING: dict[str, Callable[[Network, int, int, int], bytes]] = {
    "no pseudo-header": lambda network, source, destination, length: b"",
    "protocol 1": lambda network, source, destination, length: network.pseudo_header(source, destination, 1, length),
    "protocol 58": lambda network, source, destination, length: network.pseudo_header(source, destination, 58, length),
    "another source": lambda network, source, destination, length: network.covered_beside(
        source ^ 1, destination, length
    ),
    "another destination": lambda network, source, destination, length: network.covered_beside(
        source, destination ^ 1, length
    ),
    "another length": lambda network, source, destination, length: network.covered_beside(
        source, destination, length + 1
    ),
}
"""What a checksum covers beside a message of so many bytes between two ends."""


def covering_otherwise(case: Case, otherwise: str, station: Station, destination: str, octets: bytes) -> Octets:
    """The message with a checksum over something else; NotApplicable where that is what the profile says."""
    network = case.network
    ends = station.number, network.number(destination)
    beside = OTHER_COVERING[otherwise](network, *ends, len(octets))
    if beside == network.covered_beside(*ends, len(octets)):
        raise NotApplicable(f"{case.setup.profile.path}: ixit.ipff: such a checksum is right")
    value = int(checksum(beside + octets[:2] + bytes(2) + octets[4:]))
    return Octets(octets, lambda right: value)
