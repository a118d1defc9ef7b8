# SPDX-License-Identifier: GPL-2.0-or-later
"""The requirements: one TOML file a protocol, every normative statement an entry. README.md explains the format."""

from conformance.catalogue.model import (
    Catalogue,
    CatalogueError,
    Protocol,
    Requirement,
    Section,
    Strength,
    Unnormative,
    load,
)
from conformance.catalogue.text import SpecificationText, fold, quote_occurs

__all__ = [
    "Catalogue",
    "CatalogueError",
    "Protocol",
    "Requirement",
    "Section",
    "SpecificationText",
    "Strength",
    "Unnormative",
    "fold",
    "load",
    "quote_occurs",
]
