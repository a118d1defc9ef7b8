# SPDX-License-Identifier: GPL-2.0-or-later
"""SACIP, Session Aware Change of IP: the end that is told, and the end whose address changes."""
