# SPDX-License-Identifier: GPL-2.0-or-later
"""The upper tester's other half: sockets of the host namespace, commanded over standard input and output."""
