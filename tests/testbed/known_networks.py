# SPDX-License-Identifier: GPL-2.0-or-later
"""Every network that a profile can describe: IPv4, and IPFF in the readings of its drafts and of earlier devices."""

from pathlib import Path

from layers.binding import bind_defaults
from profiles import Profile, load
from testbed.wire.network import Network, networks

ROOT = Path(__file__).parents[2]
EARLIER = {"header": "24-byte", "icmp_checksum": "plain", "udp": "rfc768"}
READINGS: dict[str, dict[str, object]] = {
    "ipff": {},
    "ipff protocol 58": {"icmp_pseudo_protocol": 58},
    "ipff earlier": EARLIER,
    "ipv4": {},
}


def read_otherwise(profile: Profile, **readings: object) -> Profile:
    """The profile with IPFF read otherwise."""
    assert profile.ixit.ipff.link
    table = profile.ixit.ipff.link.model_copy(update=readings)
    ipff = profile.ixit.ipff.model_copy(update={"link": table})
    return profile.model_copy(update={"ixit": profile.ixit.model_copy(update={"ipff": ipff})})


def known(name: str) -> Network:
    """One of them as the reference's profile describes it; the layers are bound to it."""
    bind_defaults()
    network = name.partition(" ")[0]
    profile = read_otherwise(load(ROOT / "profiles/reference.toml"), **READINGS[name])
    return networks(profile, [network], "link")[network]
