# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of the suite's own tests: a plain router between two links."""
