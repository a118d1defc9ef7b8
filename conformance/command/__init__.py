# SPDX-License-Identifier: GPL-2.0-or-later
"""The command `roamproof`. Like conftest.py it joins the parts; no part imports it."""
