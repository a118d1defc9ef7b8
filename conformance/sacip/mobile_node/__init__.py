# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases for SACIP mobile nodes: hosts whose own address changes."""
