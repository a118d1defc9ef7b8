# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP Migrate: hosts whose connections follow them, or their peers (draft-snoeren-tcp-migrate-00)."""
