# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases for SACIP servers: hosts that are told of the new address of a peer."""
