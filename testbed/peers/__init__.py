# SPDX-License-Identifier: GPL-2.0-or-later
"""The tester as an ordinary host: crafted TCP and UDP, streams, connections."""
