# SPDX-License-Identifier: GPL-2.0-or-later
"""The NAT router that the tester plays, as far as a mobile node notices one: its acknowledgements."""

from typing import Any, Self

from scapy.packet import Packet

from conformance.applicability import needs
from conformance.mops.migrate import Message, in_mops, send_message
from layers.mops import MOPSNATAck
from profiles.mops import address_on
from testbed.case.case import Case
from testbed.wire.capture import Sent
from testbed.wire.headers import TCP_PROTOCOL

Tuple = tuple[str, int]
"""Address and port."""


def nat_acknowledgement(original: Tuple, translated: Tuple, level: int = 1, **fields: Any) -> Packet:
    """The acknowledgement that `original` appears as `translated`; any field can be replaced."""
    content = {
        "nat_level": level,
        "protocol": TCP_PROTOCOL,
        "original_source": in_mops(original[0]),
        "translated_source": in_mops(translated[0]),
        "entries": [(original[1], translated[1])],
    }
    return MOPSNATAck(**{**content, **fields})


class NatRouter:
    """A NAT router between the device and its server, at an address of its own or at the device's gateway's."""

    def __init__(self, case: Case, address: str = "") -> None:
        self.station = case.station(address)

    def acknowledgement(self, original: Tuple, translated: Tuple, level: int = 1, **fields: Any) -> Packet:
        """The acknowledgement that `original` appears as `translated`; any field can be replaced."""
        return nat_acknowledgement(original, translated, level, **fields)

    @classmethod
    def gateway(cls, case: Case) -> Self:
        """The router that the device has as its gateway, where its profile names one.

        NotApplicable where routers acknowledge connections alone whose SYN carries an option that the device has not.
        """
        mops = case.setup.profile.ixit.mops
        if mops.nat_ack_trigger == "mobile_capable":
            needs(case, "mops.mobile_capable")
        return cls(case, address_on(mops.router, case.network.name))

    def send(self, address: str, message: Message) -> Sent:
        """Send a message to the device at this address."""
        return send_message(self.station, message, address)
