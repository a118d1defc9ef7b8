# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP Migrate: the draft of Snoeren and Balakrishnan, as a lecture tells it."""
