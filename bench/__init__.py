# SPDX-License-Identifier: GPL-2.0-or-later
"""Benchmarks: ratios against something measured in the same run, never limits on seconds."""
