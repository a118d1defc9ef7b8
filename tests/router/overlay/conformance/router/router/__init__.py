# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of the router."""
