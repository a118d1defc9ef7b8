# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases for MSOCKS (6.829 lecture 16, over SOCKS5 of RFC 1928), a folder a role."""
