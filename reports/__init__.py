# SPDX-License-Identifier: GPL-2.0-or-later
"""From results.json to what people read: certificate, console summary, JUnit. Knows nothing of packets or devices."""
