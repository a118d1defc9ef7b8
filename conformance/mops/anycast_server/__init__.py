# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of MOPS for anycast servers, over each of the role's networks; what is asked of every server is in server/."""
