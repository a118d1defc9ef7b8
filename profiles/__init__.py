# SPDX-License-Identifier: GPL-2.0-or-later
"""What a device claims (ICS), how to reach it and the values needed to run (IXIT): one TOML file a device."""

from profiles.model import ICS, IXIT, PLACEHOLDER, InterfaceLink, NamespaceLink, Profile, ProfileError, load

__all__ = ["ICS", "IXIT", "PLACEHOLDER", "InterfaceLink", "NamespaceLink", "Profile", "ProfileError", "load"]
