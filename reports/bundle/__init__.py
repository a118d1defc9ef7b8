# SPDX-License-Identifier: GPL-2.0-or-later
"""The evidence of a run in one archive, with a manifest of its digests that can be signed (docs/bundle.md)."""
