# SPDX-License-Identifier: GPL-2.0-or-later
"""Example hosts: they answer greetings."""
