# SPDX-License-Identifier: GPL-2.0-or-later
"""MSOCKS: the proxy that hides moves of its clients from those they talk to, and the library of the mobile node."""
