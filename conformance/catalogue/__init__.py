# SPDX-License-Identifier: GPL-2.0-or-later
"""The requirements: a TOML file in the folder of each protocol, every normative statement an entry (README.md)."""

from conformance.catalogue.loader import load
from conformance.catalogue.model import (
    Catalogue,
    CatalogueError,
    Protocol,
    Requirement,
    Section,
    Strength,
    Unnormative,
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
