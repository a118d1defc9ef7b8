# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the cases for boxes that follow flows."""

from conformance.legacy.between import dut, hosts

__all__ = ["dut", "hosts"]
