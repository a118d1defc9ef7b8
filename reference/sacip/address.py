# SPDX-License-Identifier: GPL-2.0-or-later
"""The addresses of a SACIP host, as its applications need them."""

from reference.system.own_address import OwnAddresses


class SacipAddresses(OwnAddresses):
    """Whatever listens, bound to an address of the host or to any, goes on listening when it changes."""

    role = "mobile node"
