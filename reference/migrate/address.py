# SPDX-License-Identifier: GPL-2.0-or-later
"""The address of a mobile node of TCP Migrate: whatever listens moves with it."""

from reference.system.own_address import OwnAddress


class MigrateAddress(OwnAddress):
    """The node's one address."""

    role = "mobile node"
