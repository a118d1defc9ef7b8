# SPDX-License-Identifier: GPL-2.0-or-later
"""What every part of the reference stands on: configuration, addresses, Linux, the log, the register of alterations."""
