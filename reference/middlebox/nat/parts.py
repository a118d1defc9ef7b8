# SPDX-License-Identifier: GPL-2.0-or-later
"""What a NAT is made of, and how it comes together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reference.middlebox.messages import Messages
from reference.middlebox.nat.endpoints import Endpoints
from reference.middlebox.nat.errors import Errors
from reference.middlebox.nat.filtering import Filtering
from reference.middlebox.nat.mappings import Mappings
from reference.middlebox.nat.nat import Translated
from reference.middlebox.nat.ports import Ports
from reference.middlebox.nat.settings import NatSettings
from reference.middlebox.nat.tracking import Tracker
from reference.middlebox.nat.translation import Tools, Translation
from reference.middlebox.nat.unsolicited import UnsolicitedSyns
from reference.middlebox.packet import BoxNetwork
from reference.middlebox.side import Side
from reference.system.role import Parts


@dataclass(frozen=True)
class TranslationParts(Parts):
    """The classes of a translation; a role adds its box."""

    endpoints: type[Endpoints] = Endpoints
    mappings: type[Mappings] = Mappings
    ports: type[Ports] = Ports
    filtering: type[Filtering] = Filtering
    tracker: type[Tracker] = Tracker
    translation: type[Translation] = Translation
    errors: type[Errors] = Errors
    unsolicited: type[UnsolicitedSyns] = UnsolicitedSyns

    def translated(
        self, networks: Mapping[BoxNetwork, Sequence[Messages]], outside: Side, settings: NatSettings
    ) -> dict[BoxNetwork, Translated]:
        """The translation of each network, to the outside address."""
        found = {}
        for network, families in networks.items():
            address = outside.own[network]
            tools = Tools(
                self.endpoints({family.protocol: family for family in families}),
                self.mappings(address, settings.most_mappings),
                self.ports(settings),
                self.filtering(settings),
                self.tracker(settings),
            )
            translation = self.translation(network, address, settings, tools)
            found[network] = Translated(translation, self.errors(translation))
        return found
