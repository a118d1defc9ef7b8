# SPDX-License-Identifier: GPL-2.0-or-later
"""Reference implementation: runnable daemons that make an unmodified kernel TCP mobile.

An independent reading of the specifications: nothing here is shared with the suite that probes it.
"""

NAME = "Roamproof reference host"
VERSION = "0.1.0"
