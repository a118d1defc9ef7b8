# SPDX-License-Identifier: GPL-2.0-or-later
"""The device under test: its namespaces, its process, control of its upper side."""
