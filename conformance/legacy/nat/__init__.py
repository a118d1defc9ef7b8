# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases for NATs: RFC 4787 (UDP), RFC 5382 (TCP), RFC 5508 (ICMP), as updated by RFC 7857."""
