# SPDX-License-Identifier: GPL-2.0-or-later
"""The lower tester: links, interfaces, capture, stations, control of the DUT, verdicts."""

from testbed.run.marks import chain, exclusive, inopportune, invalid, over, requirement, valid, waits

__all__ = ["chain", "exclusive", "inopportune", "invalid", "over", "requirement", "valid", "waits"]
