# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tester plays against devices of MSOCKS: client of the proxy, correspondent host, and the proxy itself."""
