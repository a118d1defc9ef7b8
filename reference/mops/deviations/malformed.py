# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in what a server takes for a command."""

from reference.bump.network import Network
from reference.mops.message import Entry, Migrate, length_for
from reference.mops.server import Command, Server
from reference.system.alterations import deviation


@deviation(
    "checksum-ignored",
    "4.1",
    "A Migrate whose checksum is wrong is silently discarded.",
    "the checksum is not looked at",
)
class ChecksumIgnored(Server):
    def is_checksum_right(self, data: bytes) -> bool:
        return True


@deviation(
    "version-ignored",
    "4.1",
    "A Migrate whose Version is not 1 remaps nothing.",
    "the version is not looked at",
)
class VersionIgnored(Server):
    def is_version_known(self, version: int) -> bool:
        return True


@deviation(
    "unknown-code-accepted",
    "4.1",
    "A Migrate whose Code is none of 0 to 3 remaps nothing.",
    "codes from 4 on are taken for code 0",
)
class UnknownCodeAccepted(Server):
    def is_request(self, code: int) -> bool:
        return code > 3 or super().is_request(code)


@deviation(
    "replies-answered",
    "4.1",
    "A Migrate with code 2 or 3 is never answered and remaps nothing.",
    "codes 2 and 3 are taken for code 0",
)
class RepliesAnswered(Server):
    def is_request(self, code: int) -> bool:
        return code in (2, 3) or super().is_request(code)


@deviation(
    "count-too-large-accepted",
    "4.1",
    "A Migrate whose Count is larger than its number of entries remaps nothing.",
    "the entries that are there are remapped",
)
class CountTooLargeAccepted(Server):
    def entries_of(self, message: Migrate, length: int) -> tuple[Entry, ...]:
        carried = len(message.entries)
        too_large = (message.count or 0) > carried and length == length_for(carried)
        return message.entries if too_large else super().entries_of(message, length)


@deviation(
    "count-too-small-accepted",
    "4.1",
    "A Migrate whose Count is smaller than its number of entries remaps nothing.",
    "the first Count entries are remapped",
)
class CountTooSmallAccepted(Server):
    def entries_of(self, message: Migrate, length: int) -> tuple[Entry, ...]:
        too_small = (message.count or 0) < len(message.entries) and length == length_for(len(message.entries))
        return message.entries[: message.count] if too_small else super().entries_of(message, length)


@deviation(
    "count-zero-accepted",
    "4.1",
    "A Migrate whose Count is 0 remaps nothing.",
    "the entries after a Count of 0 are remapped",
)
class CountZeroAccepted(Server):
    def entries_of(self, message: Migrate, length: int) -> tuple[Entry, ...]:
        return message.entries if message.count == 0 else super().entries_of(message, length)


@deviation(
    "trailing-bytes-accepted",
    "4.1",
    "A Migrate with bytes after its last entry remaps nothing.",
    "up to seven bytes after the last entry are overlooked",
)
class TrailingBytesAccepted(Server):
    def entries_of(self, message: Migrate, length: int) -> tuple[Entry, ...]:
        return message.entries if message.count == len(message.entries) else super().entries_of(message, length)


@deviation(
    "truncation-accepted",
    "4.1",
    "A Migrate that is cut short remaps nothing.",
    "what is missing of the last entry is taken for zero, and the entries before it are remapped",
)
class TruncationAccepted(Server):
    def entries_of(self, message: Migrate, length: int) -> tuple[Entry, ...]:
        cut = (length - length_for(0)) % 8 and message.count == len(message.entries) + 1
        return (*message.entries, Entry(0, 0, 0)) if cut else super().entries_of(message, length)


@deviation(
    "reserved-not-ignored",
    "4.1",
    "A Migrate with bits set in Reserved is served as if they were zero.",
    "such a Migrate is discarded",
)
class ReservedNotIgnored(Server):
    def read(self, network: Network, source: int, data: bytes, arrival: float) -> tuple[Command | None, str]:
        command, wrong = super().read(network, source, data, arrival)
        return (None, "reserved bits") if command is not None and command.message.reserved else (command, wrong)


@deviation(
    "entries-beyond-count-carried-out",
    "4.1",
    "Entries beyond Count are never carried out.",
    "all entries that a message carries are remapped, though Count is smaller",
)
class EntriesBeyondCountCarriedOut(Server):
    def entries_of(self, message: Migrate, length: int) -> tuple[Entry, ...]:
        too_small = 0 < (message.count or 0) < len(message.entries)
        return message.entries if too_small else super().entries_of(message, length)


@deviation(
    "trailing-bytes-break-the-connection",
    "4.1",
    "Bytes after the last entry leave each connection alive at exactly one tuple.",
    "they leave it alive at none",
)
class TrailingBytesBreakTheConnection(Server):
    def read(self, network: Network, source: int, data: bytes, arrival: float) -> tuple[Command | None, str]:
        command, wrong = super().read(network, source, data, arrival)
        message = Migrate.parse(data)
        if message is not None and message.count and len(data) > length_for(message.count):
            trailed = Command(network, source, message, arrival)
            for entry in message.entries[: message.count]:
                for flow in self.candidates(trailed, entry, trailed.previous or 0):
                    flow.out_delta = (flow.out_delta + 1) % 0xFFFF
                    flow.is_rewritten = True
        return command, wrong
