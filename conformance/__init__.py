# SPDX-License-Identifier: GPL-2.0-or-later
"""The conformance cases, one package a protocol, one module a section, and the catalogue of requirements."""
