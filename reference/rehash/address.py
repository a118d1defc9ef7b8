# SPDX-License-Identifier: GPL-2.0-or-later
"""The address of a Rehash host: whatever listens moves with it (TCP Rehash, section 8)."""

from reference.system.own_address import OwnAddress


class RehashAddress(OwnAddress):
    """The host's one address."""

    role = "host"
