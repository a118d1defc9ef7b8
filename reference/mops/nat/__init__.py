# SPDX-License-Identifier: GPL-2.0-or-later
"""The NAT router of MOPS (sections 4.3 and 6, appendix B)."""
