# SPDX-License-Identifier: GPL-2.0-or-later
"""MOPS: server and mobile node (draft-mongazon-mops)."""
