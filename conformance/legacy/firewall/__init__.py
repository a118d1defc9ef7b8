# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases for every box that follows flows: firewalls, and NATs, which are judged by them too (`Role.also`)."""
