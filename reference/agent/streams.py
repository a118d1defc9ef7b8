# SPDX-License-Identifier: GPL-2.0-or-later
"""Standard input and output of the agent."""

import asyncio
import json
import os
import stat
import sys
from typing import Any


async def standard_input(line_limit: int) -> asyncio.StreamReader:
    """The requests, in lines of up to so many bytes; what is no pipe is read to its end."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=line_limit)
    mode = os.fstat(0).st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(0):
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    else:
        reader.feed_data(sys.stdin.buffer.read())
        reader.feed_eof()
    return reader


def say(message: dict[str, Any]) -> None:
    """One JSON line on standard output."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
