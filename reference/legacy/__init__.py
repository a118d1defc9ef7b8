# SPDX-License-Identifier: GPL-2.0-or-later
"""Hosts that know none of the protocols: the kernel behind a bump that changes nothing, and the kernel itself."""
