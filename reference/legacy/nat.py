# SPDX-License-Identifier: GPL-2.0-or-later
"""An ordinary NAT in user space: it knows none of the protocols."""

from collections.abc import Sequence
from dataclasses import dataclass

from reference.middlebox.nat.nat import Nat
from reference.middlebox.nat.parts import TranslationParts
from reference.middlebox.nat.settings import NatSettings
from reference.middlebox.role import MiddleboxRole
from reference.system.configuration import Configuration
from reference.system.role import Wire


@dataclass(frozen=True)
class NatParts(TranslationParts):
    """What a NAT is made of."""

    box: type[Nat] = Nat


class NatRole(MiddleboxRole):
    """Shares its outside address among the hosts of the inside."""

    protocol, name = "legacy", "NAT"
    parts: NatParts = NatParts()

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self.settings = NatSettings.read(configuration.of_protocol(self.protocol))

    def build(self, wires: Sequence[Wire]) -> Nat:
        networks = self.networks()
        sides = self.sides(wires, networks, self.settings.outside_mtu)
        translated = self.parts.translated(networks, sides[1], self.settings)
        box = self.parts.box(sides, networks, translated, self.parts.unsolicited(self.settings))
        box.nat_settings = self.settings
        return box
