# SPDX-License-Identifier: GPL-2.0-or-later
"""The notification is wrong in a field, always or from the second time on."""

from reference.bump.flows import Flow
from reference.sacip.flows import ends
from reference.sacip.local_side import LocalSide
from reference.sacip.notification import TYPE, Notification, reversed_bytes
from reference.system.alterations import deviation


@deviation("notification-from-the-new-address", "local", "The source is the old address.", "it is the new one")
class _FromNew(LocalSide):
    def notify(self, flow: Flow, old: int, new: int) -> None:
        super().notify(flow, new, new)


@deviation(
    "second-notification-from-the-first-address", "local", "The source is the old address.", "it is always the first"
)
class _FromFirst(LocalSide):
    def notify(self, flow: Flow, old: int, new: int) -> None:
        super().notify(flow, self.network.kernel_own, new)


@deviation("notification-from-the-primary", "examples", "The source is the old address.", "it is the host's first one")
class _FromPrimary(LocalSide):
    def notify(self, flow: Flow, old: int, new: int) -> None:
        super().notify(flow, self.network.addresses.primary, new)


@deviation("old-address-named", "local", "The new address is named.", "the old one is")
class _OldNamed(LocalSide):
    def notify(self, flow: Flow, old: int, new: int) -> None:
        super().notify(flow, old, old)


@deviation(
    "first-new-address-named-again", "local", "The new address is named.", "that of the first change is, each time"
)
class _FirstNamed(LocalSide):
    first = 0

    def notify(self, flow: Flow, old: int, new: int) -> None:
        self.first = self.first or new
        super().notify(flow, old, self.first)


@deviation("new-address-in-the-other-order", "local", "The bytes are in the stated order.", "they are in the other one")
class _OtherOrder(Notification):
    def ordered(self, address: int) -> int:
        return reversed_bytes(super().ordered(address))


@deviation("code-1", "activation", "The code is 0.", "it is 1")
class _CodeOne(Notification):
    def seal(self, message: bytes) -> bytes:
        return super().seal(message[:1] + b"\1" + message[2:])


@deviation("type-21", "notification", "The type is 20.", "it is 21")
class _TypeAbove(Notification):
    def seal(self, message: bytes) -> bytes:
        return super().seal(bytes([TYPE + 1]) + message[1:])


@deviation("notification-of-12-bytes", "examples", "A notification is 8 bytes.", "the old address follows")
class _Longer(Notification):
    def seal(self, message: bytes) -> bytes:
        return super().seal(message + bytes(4))


@deviation("notification-without-checksum", "examples", "The checksum is right.", "it is 0")
class _NoChecksum(Notification):
    def seal(self, message: bytes) -> bytes:
        return message


@deviation(
    "checksum-of-the-first-notification", "examples", "The checksum is right.", "it is that of the first one, each time"
)
class _FirstChecksum(Notification):
    first = b""

    def seal(self, message: bytes) -> bytes:
        whole = super().seal(message)
        self.first = self.first or whole[2:4]
        return whole[:2] + self.first + whole[4:]


@deviation(
    "told-at-the-peers-first-address", "front", "A peer is told where it is.", "where it was when the connection opened"
)
class _AtFirstAddress(LocalSide):
    def notify(self, flow: Flow, old: int, new: int) -> None:
        self.send(old, ends(flow.kernel_address)[1], self.notification.encode(new))
