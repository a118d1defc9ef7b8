# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the cases for NATs."""

from conformance.legacy.between import dut, hosts

__all__ = ["dut", "hosts"]
