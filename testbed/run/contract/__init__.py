# SPDX-License-Identifier: GPL-2.0-or-later
"""A check of the DUT contract before any case: the wire and each verb once, in plain words (docs/dut-contract.md)."""
