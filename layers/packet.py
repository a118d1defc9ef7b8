# SPDX-License-Identifier: GPL-2.0-or-later
"""The base classes of all messages: they survive truncation, and may carry a checksum of their own."""

import struct
from typing import Any

from scapy.config import conf
from scapy.packet import Packet
from scapy.utils import checksum


def _dispatch(cls: Any, _pkt: bytes = b"", *_: Any, **__: Any) -> Any:
    return cls.unless_short(_pkt)


class TolerantPacket(Packet):  # type: ignore[misc]
    """A packet whose header, cut short on the wire, dissects to Raw instead of raising."""

    minimum = 0

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.minimum = int(sum(field.i2len(None, field.default) for field in cls.fields_desc))
        # Scapy calls only a dispatch_hook of the class itself, never an inherited one.
        if "dispatch_hook" not in cls.__dict__:
            cls.dispatch_hook = classmethod(_dispatch)

    @classmethod
    def unless_short(cls, data: bytes) -> Any:
        return conf.raw_layer if data and len(data) < cls.needs(data) else cls

    @classmethod
    def needs(cls, data: bytes) -> int:
        """How many bytes the header takes, judged by its own leading bytes."""
        return cls.minimum


class ChecksummedPacket(TolerantPacket):
    """A message whose bytes 2 and 3 are the checksum of RFC 1071 over what it covers, computed when left None."""

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        message = pkt + pay
        if self.checksum is None:
            message = message[:2] + struct.pack("!H", checksum(self.covered(message))) + message[4:]
        return message

    def covered(self, message: bytes) -> bytes:
        """What the checksum is computed over."""
        return message

    def checksum_ok(self) -> bool:
        return bool(checksum(self.covered(self.do_build())) == 0)
