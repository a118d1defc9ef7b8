# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases of the made-up protocol are collected in the copy of the tree that they are laid over, not here."""

collect_ignore = ["overlay"]
