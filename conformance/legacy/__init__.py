# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases for hosts that have never heard of any of the protocols, one module a part of RFC 9293 and RFC 1122."""
