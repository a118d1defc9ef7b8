# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP Rehash: the option of draft-mongazon-tcpm-tcp-rehash-00, section 7."""

from layers.rehash.packets import ADDR, INIT, RehashOption

__all__ = ["ADDR", "INIT", "RehashOption"]
