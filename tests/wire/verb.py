# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m tests.wire.verb SOCKET VERB KEY=VALUE...`: one verb of the box, for the shell verbs of a profile."""

import json
import socket
import sys


def main() -> int:
    """Print the result; exit code 1 with the message where the operation failed."""
    path, verb, *words = sys.argv[1:]
    parameters = {
        key: json.loads(value) if value.isdigit() else value for key, value in (one.split("=") for one in words)
    }
    with socket.socket(socket.AF_UNIX) as box:
        box.connect(path)
        box.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": verb, "params": parameters}).encode() + b"\n")
        with box.makefile() as replies:
            reply = json.loads(replies.readline())
    if "error" in reply:
        sys.stderr.write(reply["error"]["message"])
        return 1
    sys.stdout.write(json.dumps(reply["result"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
