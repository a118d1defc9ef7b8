# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tester plays for hosts of TCP Migrate."""
