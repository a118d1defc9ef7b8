# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases for hosts and NATs that have never heard of any of the protocols, one module a part of the RFCs."""
