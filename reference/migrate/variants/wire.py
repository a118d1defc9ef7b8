# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants on the wire: frames, options and times that another TCP than the kernel's has."""

from reference.bump import another_tcp
from reference.migrate.datapath import MigrateDatapath
from reference.system.alterations import variant


@variant(
    "migrate-frames-padded",
    "option",
    "Ethernet has no frames of less than 60 bytes; what follows the length of the packet is no data (RFC 1042).",
    "every frame is filled up to 60 bytes, with bytes that are not zero",
)
class FramesPadded(another_tcp.FramesPadded, MigrateDatapath):
    pass


@variant(
    "migrate-serves-everything-late",
    "processing",
    "A host may use the time that its profile grants.",
    "every frame is served 0.4 s after it has come",
)
class ServesEverythingLate(another_tcp.ServesEverythingLate, MigrateDatapath):
    pass


@variant(
    "migrate-acknowledges-late",
    "processing",
    "An acknowledgement may be delayed by less than 0.5 s (RFC 9293, 3.8.6.3).",
    "a segment that only acknowledges goes out after 0.45 s, unless another one has gone out by then",
)
class AcknowledgesLate(another_tcp.AcknowledgesLate, MigrateDatapath):
    pass


@variant(
    "migrate-retransmits-after-three-seconds",
    "2",
    "The retransmission timer may start with 3 s (RFC 1122, 4.2.3.1).",
    "nothing is retransmitted within 2.9 s",
)
class RetransmitsAfterThreeSeconds(another_tcp.RetransmitsAfterThreeSeconds, MigrateDatapath):
    pass
