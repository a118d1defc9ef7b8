# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants on the wire: frames, options, windows and times that another TCP than the kernel's has."""

from reference.bump import another_tcp
from reference.rehash.datapath import RehashDatapath
from reference.system.alterations import variant


@variant(
    "frames-padded",
    "5",
    "Ethernet has no frames of less than 60 bytes; what follows the length of the packet is no data (RFC 1042).",
    "every frame is filled up to 60 bytes, with bytes that are not zero",
)
class FramesPadded(another_tcp.FramesPadded, RehashDatapath):
    pass


@variant(
    "sent-in-fragments",
    "5",
    "A host puts fragments together (RFC 1122 3.3.2), in whatever order they come.",
    "IPv4 packets of more than 84 bytes leave in fragments, the last one first",
)
class SentInFragments(another_tcp.SentInFragments, RehashDatapath):
    pass


@variant(
    "serves-everything-late",
    "5",
    "A host may use the time that its profile grants.",
    "every frame is served 0.4 s after it has come",
)
class ServesEverythingLate(another_tcp.ServesEverythingLate, RehashDatapath):
    pass


@variant(
    "no-options-but-the-segment-size",
    "5",
    "Window scale, timestamps and SACK are extensions (RFC 7323, RFC 2018).",
    "it offers and accepts none of them",
)
class NoOptionsButTheSegmentSize(another_tcp.NoOptionsButTheSegmentSize, RehashDatapath):
    pass


@variant(
    "no-segment-size",
    "5",
    "The Maximum Segment Size option may be left out (RFC 9293, 3.7.1).",
    "SYN and SYN-ACK carry none",
)
class NoSegmentSize(another_tcp.NoSegmentSize, RehashDatapath):
    pass


@variant(
    "small-segments-and-window",
    "5",
    "A host may have little memory.",
    "segments of 536 bytes, a window of two of them without a scale; what is sent past it is dropped",
)
class SmallSegmentsAndWindow(another_tcp.SmallSegmentsAndWindow, RehashDatapath):
    pass


@variant(
    "acknowledges-late",
    "5",
    "An acknowledgement may be delayed by less than 0.5 s (RFC 9293, 3.8.6.3).",
    "a segment that only acknowledges goes out after 0.45 s, unless another one has gone out by then",
)
class AcknowledgesLate(another_tcp.AcknowledgesLate, RehashDatapath):
    pass


@variant(
    "slow-application",
    "5",
    "An acknowledgement may come long before the application has something to say.",
    "what the echo service says goes out after 0.5 s, what its kernel acknowledges at once",
)
class SlowApplication(another_tcp.SlowApplication, RehashDatapath):
    pass


@variant(
    "retransmits-after-three-seconds",
    "5",
    "The retransmission timer may start with 3 s (RFC 1122, 4.2.3.1).",
    "nothing is retransmitted within 2.9 s",
)
class RetransmitsAfterThreeSeconds(another_tcp.RetransmitsAfterThreeSeconds, RehashDatapath):
    pass
