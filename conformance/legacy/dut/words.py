# SPDX-License-Identifier: GPL-2.0-or-later
"""How a case names what it has found a box to be, in the words of the RFCs."""

CLASS = "class: "
"""The start of the name of a value that stands on the first page of the certificate."""
