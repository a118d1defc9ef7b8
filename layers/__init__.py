# SPDX-License-Identifier: GPL-2.0-or-later
"""Scapy layers for transport mobility, one package a protocol; a package in this folder is found by being here.

Importing any module imports all protocols, so that what a frame dissects to does not depend on who imported what.
"""

import pkgutil
from importlib import import_module

PROTOCOLS = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg))
"""The packages of this folder, one a protocol."""

for _name in PROTOCOLS:
    import_module(f"{__name__}.{_name}")
