# SPDX-License-Identifier: GPL-2.0-or-later
"""The table [link]: where the device is connected."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from profiles.addresses import MacAddress
from profiles.table import Allowed, Table


class NamespaceLink(Table):
    """Virtual wires into a network namespace that the run makes for the device."""

    kind: Literal["namespace"] = Field(
        description='`"namespace"`: virtual wires, the suite starts the device; `"interface"`: a real wire'
    )


class InterfaceLink(Table):
    """A real interface: only this one, and only the addresses of the profile, are ever touched."""

    kind: Literal["interface"]
    interface: Annotated[str, StringConstraints(pattern=r"^[^\s/:]{1,15}$"), Allowed("name of an interface")] = Field(
        description="the tester's network interface on the device's wire (kind interface)"
    )
    dut_mac: MacAddress = Field(description="the device's Ethernet address on that wire (kind interface)")
