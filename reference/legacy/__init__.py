# SPDX-License-Identifier: GPL-2.0-or-later
"""Hosts that know none of the protocols: the kernel, with a bump before it that changes nothing or without one."""
