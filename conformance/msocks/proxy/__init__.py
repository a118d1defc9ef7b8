# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases for the MSOCKS proxy, which is a SOCKS5 server too."""
