# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations: roles of this protocol made wrong on purpose, each in exactly one way."""
