# SPDX-License-Identifier: GPL-2.0-or-later
"""Address translation (RFC 4787, RFC 5382, RFC 5508, as updated by RFC 7857)."""
