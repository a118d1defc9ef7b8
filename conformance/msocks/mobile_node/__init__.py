# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases for the mobile node of MSOCKS: the client of the proxy that moves."""
