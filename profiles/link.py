# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the device is connected: [link], or [link.inside] and [link.outside] for a device in the middle."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from profiles.addresses import MacAddress
from profiles.table import SIDES, Allowed, PerLink, Table

Mtu = Annotated[int, Field(ge=576, le=65535)]
_MTU = (
    "the most bytes of a packet that the device sends on this link and takes, where that is less than the MTU of the "
    "tester's interface; no case sends a longer one on any link of the device"
)


class NamespaceLink(Table):
    """Virtual wires into a network namespace that the run makes for the device."""

    kind: Literal["namespace"] = Field(
        description='`"namespace"`: virtual wires, the suite starts the device; `"interface"`: a real wire'
    )
    mtu: Mtu | None = Field(default=None, description=_MTU)


class InterfaceLink(Table):
    """A real interface: only this one, and only the addresses of the profile, are ever touched."""

    kind: Literal["interface"]
    interface: Annotated[str, StringConstraints(pattern=r"^[^\s/:]{1,15}$"), Allowed("name of an interface")] = Field(
        description="the tester's network interface on the device's wire (kind interface)"
    )
    dut_mac: MacAddress = Field(description="the device's Ethernet address on that wire (kind interface)")
    max_parallel: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=1000,
        description="how many cases may be at the device at once; one that moves it is alone (kind interface)",
    )
    mtu: Mtu | None = Field(default=None, description=_MTU)


def link_key(link: str) -> str:
    """The table of a link in the profile: `link`, `link.inside` or `link.outside`."""
    return link if link == "link" else f"link.{link}"


class Links(PerLink[Annotated[NamespaceLink | InterfaceLink, Field(discriminator="kind")]]):
    """The links of the device, and how to reach it on each."""

    @property
    def interfaces(self) -> dict[str, InterfaceLink]:
        """The real interfaces, by the key of their table."""
        tables = {link_key(link): self.of(link) for link in ("link", *SIDES)}
        return {key: table for key, table in tables.items() if isinstance(table, InterfaceLink)}

    @model_validator(mode="after")
    def _check_sides(self) -> "Links":
        inside, outside = self.inside, self.outside
        if inside and outside and inside.kind != outside.kind:
            raise ValueError("link.inside and link.outside must be of the same kind: the device is in one place")
        if isinstance(inside, InterfaceLink) and isinstance(outside, InterfaceLink):
            name = inside.interface
            if name == outside.interface:
                raise ValueError(f'link.inside and link.outside must be two interfaces, not "{name}" twice')
        return self
