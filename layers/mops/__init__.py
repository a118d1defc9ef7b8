# SPDX-License-Identifier: GPL-2.0-or-later
"""Mobile Protocol Stack (MOPS): ICMPv5 messages and TCP option of draft-eromenko-ipff-mops-00."""

from layers.mops.packets import (
    FAILED,
    MIGRATE,
    MIGRATE_ATOMIC,
    SUCCESS,
    MobileCapableOption,
    MOPSAnycastAck,
    MOPSMigrate,
    MOPSNATAck,
)

__all__ = [
    "FAILED",
    "MIGRATE",
    "MIGRATE_ATOMIC",
    "SUCCESS",
    "MOPSAnycastAck",
    "MOPSMigrate",
    "MOPSNATAck",
    "MobileCapableOption",
]
