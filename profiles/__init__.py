# SPDX-License-Identifier: GPL-2.0-or-later
"""What a device claims (ICS), how to reach it and the values needed to run (IXIT): one TOML file a device."""

from profiles.link import InterfaceLink, NamespaceLink
from profiles.model import ICS, IXIT, PLACEHOLDER, Profile, ProfileError, load
from profiles.role import Role

__all__ = ["ICS", "IXIT", "PLACEHOLDER", "InterfaceLink", "NamespaceLink", "Profile", "ProfileError", "Role", "load"]
