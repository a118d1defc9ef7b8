# SPDX-License-Identifier: GPL-2.0-or-later
"""Mobile Protocol Stack (MOPS): the ICMPv5 messages of draft-eromenko-ipff-mops-00, section 4."""

from layers.mops.packets import FAILED, MIGRATE, MIGRATE_ATOMIC, SUCCESS, MOPSAnycastAck, MOPSMigrate, MOPSNATAck

__all__ = ["FAILED", "MIGRATE", "MIGRATE_ATOMIC", "SUCCESS", "MOPSAnycastAck", "MOPSMigrate", "MOPSNATAck"]
