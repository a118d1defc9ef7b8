# SPDX-License-Identifier: GPL-2.0-or-later
"""Session Aware Change of IP (SACIP): the notification, ICMPv4 type 20."""

from layers.sacip.packets import CAPTURED, NETWORK, SACIP, SACIP_TYPE, ByteOrderField, OrderedAddressField

__all__ = ["CAPTURED", "NETWORK", "SACIP", "SACIP_TYPE", "ByteOrderField", "OrderedAddressField"]
