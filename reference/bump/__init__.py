# SPDX-License-Identifier: GPL-2.0-or-later
"""The bump in the stack: packets between wire and kernel, and the connections they belong to. It knows no protocol."""
