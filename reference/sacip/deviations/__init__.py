# SPDX-License-Identifier: GPL-2.0-or-later
"""SACIP hosts that are wrong on purpose."""
