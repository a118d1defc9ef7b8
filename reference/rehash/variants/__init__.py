# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants: roles of this protocol that are right in another way, each by one other reading or choice."""
