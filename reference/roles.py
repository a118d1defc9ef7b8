# SPDX-License-Identifier: GPL-2.0-or-later
"""All roles that the reference has: the one place that lists them."""

from reference.bump.role import Role
from reference.legacy.roles import HostRole as LegacyHostRole
from reference.mops.roles import MobileNodeRole, ServerRole
from reference.rehash.roles import HostRole as RehashHostRole
from reference.system.configuration import Configuration
from reference.system.deviations import Deviation, load

ROLES: tuple[type[Role], ...] = (ServerRole, MobileNodeRole, RehashHostRole, LegacyHostRole)


def role_of(configuration: Configuration) -> type[Role]:
    """The role that `protocol` and `role` of a configuration name; ConfigurationError when there is none."""
    root = configuration.root
    protocol = root.choice("protocol", tuple(dict.fromkeys(role.protocol for role in ROLES)))
    roles = {role.name: role for role in ROLES if role.protocol == protocol}
    return roles[root.choice("role", tuple(roles))]


def all_deviations() -> dict[str, Deviation]:
    """Every deviation by name."""
    return load(dict.fromkeys(role.protocol for role in ROLES))


def fits(deviation: Deviation, role: type[Role]) -> bool:
    """Whether a host of a role can be wrong in this way."""
    return deviation.protocol == role.protocol and deviation.role in (role.name, *role.also)
