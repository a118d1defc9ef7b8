# SPDX-License-Identifier: GPL-2.0-or-later
"""SACIP: Session Aware Change of IP, the slides of Samo Pogačnik."""
