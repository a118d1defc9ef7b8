# SPDX-License-Identifier: GPL-2.0-or-later
"""The role of a stateful firewall between two links (section 6)."""

from collections.abc import Sequence
from dataclasses import dataclass

from reference.bump.ipff import IpffSettings
from reference.bump.ipv4 import Ipv4Settings
from reference.middlebox.role import MiddleboxRole
from reference.mops.firewall.acknowledgements import Acknowledgements
from reference.mops.firewall.firewall import Firewall
from reference.mops.firewall.moves import Moves
from reference.mops.firewall.sessions import Sessions
from reference.mops.firewall.settings import FirewallSettings
from reference.mops.firewall.tracking import Tracker
from reference.system.configuration import Configuration
from reference.system.role import Parts, Wire


@dataclass(frozen=True)
class FirewallParts(Parts):
    """What a firewall is made of."""

    firewall: type[Firewall] = Firewall
    sessions: type[Sessions] = Sessions
    tracker: type[Tracker] = Tracker
    moves: type[Moves] = Moves
    acknowledgements: type[Acknowledgements] = Acknowledgements


class FirewallRole(MiddleboxRole):
    """Lets in what belongs to sessions that it knows, migrated ones too."""

    protocol, name = "mops", "firewall"
    knows = (IpffSettings, Ipv4Settings)
    parts: FirewallParts = FirewallParts()

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self.settings = FirewallSettings.read(configuration.of_protocol("mops").table("firewall"))

    def build(self, wires: Sequence[Wire]) -> Firewall:
        networks = self.networks()
        sessions = self.parts.sessions(self.settings, self.parts.tracker)
        moves = self.parts.moves(sessions, self.settings.opens_on)
        acknowledgements = self.parts.acknowledgements(sessions, moves)
        firewall = self.parts.firewall(self.sides(wires, networks), networks, moves, acknowledgements)
        firewall.is_bridge = firewall.is_bridge or self.settings.bridge
        return firewall
