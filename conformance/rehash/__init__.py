# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases for TCP Rehash hosts, one module a section of draft-mongazon-tcpm-tcp-rehash-00."""
