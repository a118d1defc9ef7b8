# SPDX-License-Identifier: GPL-2.0-or-later
"""An agent as a command of its own: carries JSON-RPC between its standard streams and the puppet's socket at PATH.

With a verb and its parameters (`PATH listen port=7`) it asks once and prints the result alone.
"""

import json
import socket
import sys


def main() -> None:
    path, *words = sys.argv[1:]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        stream = connection.makefile("rw")

        def ask(line: str) -> str:
            stream.write(line)
            stream.flush()
            return stream.readline()

        if words:
            verb, *pairs = words
            parameters = {name: int(value) for name, _, value in (pair.partition("=") for pair in pairs)}
            request = {"jsonrpc": "2.0", "id": 1, "method": verb, "params": parameters}
            sys.stdout.write(json.dumps(json.loads(ask(json.dumps(request) + "\n"))["result"]))
            return
        for line in sys.stdin:
            sys.stdout.write(ask(line))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
