# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP Migrate (Snoeren and Balakrishnan): the two TCP options and the hashes they carry."""

from layers.migrate.packets import (
    HASH_LENGTH,
    INSECURE,
    KEY_LENGTH,
    KEY_PART,
    NO_KEY,
    REQNO_SPACE,
    KeyPartField,
    MigrateOption,
    MigratePermittedOption,
    padded,
    permitted_key,
    put_permitted,
    request,
    token,
)

__all__ = [
    "HASH_LENGTH",
    "INSECURE",
    "KEY_LENGTH",
    "KEY_PART",
    "NO_KEY",
    "REQNO_SPACE",
    "KeyPartField",
    "MigrateOption",
    "MigratePermittedOption",
    "padded",
    "permitted_key",
    "put_permitted",
    "request",
    "token",
]
