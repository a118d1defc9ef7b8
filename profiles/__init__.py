# SPDX-License-Identifier: GPL-2.0-or-later
"""What a device claims (ICS), how to reach it and the values needed to run (IXIT): one TOML file a device."""

from profiles.dut import PLACEHOLDER
from profiles.link import InterfaceLink, NamespaceLink, link_key
from profiles.model import ICS, IXIT, PROTOCOLS, ROLES, Profile, ProfileError, load
from profiles.role import Role

__all__ = [
    "ICS",
    "IXIT",
    "PLACEHOLDER",
    "PROTOCOLS",
    "ROLES",
    "InterfaceLink",
    "NamespaceLink",
    "Profile",
    "ProfileError",
    "Role",
    "link_key",
    "load",
]
