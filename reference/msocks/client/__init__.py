# SPDX-License-Identifier: GPL-2.0-or-later
"""The library of the mobile node: ordinary sockets whose connections go on through moves."""

from reference.msocks.client.node import MobileNode, RefusedError

__all__ = ["MobileNode", "RefusedError"]
