# SPDX-License-Identifier: GPL-2.0-or-later
"""All roles that the reference has: the one place that lists them."""

from reference.legacy.firewall import FirewallRole as LegacyFirewallRole
from reference.legacy.nat import NatRole as LegacyNatRole
from reference.legacy.roles import HostRole as LegacyHostRole
from reference.migrate.roles import MobileNodeRole as MigratingNodeRole
from reference.migrate.roles import ServerRole as MigrateServerRole
from reference.mops.firewall.role import FirewallRole
from reference.mops.nat.role import NatRouterRole
from reference.mops.roles import AnycastServerRole, MobileNodeRole, ServerRole
from reference.msocks.roles import MobileNodeRole as MsocksNodeRole
from reference.msocks.roles import ProxyRole
from reference.rehash.roles import HostRole as RehashHostRole
from reference.sacip.roles import MobileNodeRole as SacipMobileNodeRole
from reference.sacip.roles import ServerRole as SacipServerRole
from reference.system.alterations import Alteration, Deviation, Variant, load
from reference.system.configuration import Configuration
from reference.system.role import DeviceRole

ROLES: tuple[type[DeviceRole], ...] = (
    ServerRole,
    MobileNodeRole,
    AnycastServerRole,
    NatRouterRole,
    FirewallRole,
    RehashHostRole,
    MigrateServerRole,
    MigratingNodeRole,
    ProxyRole,
    MsocksNodeRole,
    SacipServerRole,
    SacipMobileNodeRole,
    LegacyHostRole,
    LegacyNatRole,
    LegacyFirewallRole,
)


def role_of(configuration: Configuration) -> type[DeviceRole]:
    """The role that `protocol` and `role` of a configuration name; ConfigurationError when there is none."""
    root = configuration.root
    protocol = root.choice("protocol", tuple(dict.fromkeys(role.protocol for role in ROLES)))
    roles = {role.name: role for role in ROLES if role.protocol == protocol}
    return roles[root.choice("role", tuple(roles))]


def all_deviations() -> dict[str, Deviation]:
    """Every deviation by name."""
    return {name: one for name, one in _load().items() if isinstance(one, Deviation)}


def all_variants() -> dict[str, Variant]:
    """Every variant by name."""
    return {name: one for name, one in _load().items() if isinstance(one, Variant)}


def _load() -> dict[str, Deviation | Variant]:
    return load(dict.fromkeys(role.protocol for role in ROLES))


def fits(alteration: Alteration, role: type[DeviceRole]) -> bool:
    """Whether a host of a role can be different in this way."""
    return alteration.protocol == role.protocol and alteration.role in (role.name, *role.also)
