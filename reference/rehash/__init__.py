# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP Rehash: the host (draft-mongazon-tcpm-tcp-rehash-00)."""
