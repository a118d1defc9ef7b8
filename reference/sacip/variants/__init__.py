# SPDX-License-Identifier: GPL-2.0-or-later
"""SACIP hosts that are right in another way."""
