# SPDX-License-Identifier: GPL-2.0-or-later
"""MOPS: Mobile Protocol Stack, draft-eromenko-ipff-mops-00."""
