# SPDX-License-Identifier: GPL-2.0-or-later
"""A case while it runs, its expectations and its verdict."""
