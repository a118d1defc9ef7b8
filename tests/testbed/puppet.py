# SPDX-License-Identifier: GPL-2.0-or-later
"""A device of one's own that follows docs/dut-contract.md with nothing but the kernel: echo at a plain IPv4 address, or
an address on each of two links, of which a deaf one has the inside only.

Run as a program. `--be` makes it misbehave; the verb `emit` makes it send frames, so that tests can play the device.
"""

import argparse
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

LISTENERS: list[socket.socket] = []
KINDS = ("well", "silent", "garbage", "verbose", "dead", "deaf", "mortal", "stuck", "dripping")
STUCK: list[bool] = []
DRIPPING: list[bool] = []


FLOODS: list[threading.Thread] = []


def flood(raw: socket.socket, frame: bytes, seconds: float) -> None:
    """Send a frame again and again, faster than anybody reads."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(100):
            raw.send(frame)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--be", choices=KINDS, default="well")
    parser.add_argument("--lives-for", type=int, default=5, metavar="CONNECTIONS", help="of a mortal one")
    parser.add_argument("--no-agent", action="store_true", help="leave standard input and output alone")
    parser.add_argument("--agent-at", metavar="PATH", help="listen for an agent at this Unix socket instead")
    kind = (options := parser.parse_args()).be
    if kind == "stuck":
        STUCK.append(True)
    if kind == "dripping":
        DRIPPING.append(True)
    if kind == "dead":
        say("cannot live", sys.stderr)
        sys.exit(3)
    if kind == "silent":
        time.sleep(60)
    if kind == "garbage":
        say("Welcome to the device!")
        time.sleep(60)
    configuration = json.loads(Path(os.environ["DUT_CONFIG"]).read_text())
    ipv4 = configuration["networks"]["ipv4"]
    wires = os.environ["DUT_WIRES"].split()
    tables = [ipv4] if len(wires) == 1 else [ipv4["inside"], ipv4["outside"]]
    for wire, table in list(zip(wires, tables, strict=True))[: 1 if kind == "deaf" else None]:
        take_address(wire, table["address"], table["prefix_length"])
    if kind != "deaf":
        listener = socket.create_server((tables[0]["address"], configuration["services"]["echo"]), backlog=512)
        lives = options.lives_for if kind == "mortal" else -1
        threading.Thread(target=serve, args=(listener, lives), daemon=True).start()
    if options.agent_at:
        agents = socket.socket(socket.AF_UNIX)
        agents.bind(options.agent_at)
        agents.listen()
        threading.Thread(target=await_agents, args=(wires, agents), daemon=True).start()
    say(json.dumps({"ready": True, "name": "puppet", "version": "7"}))
    if kind == "verbose":
        for words in ("this is no JSON", "[]", '{"id": []}', '{"jsonrpc": "2.0", "id": 99, "result": {}}'):
            say(words)
    if options.agent_at or options.no_agent:
        sys.stdin.read()
    else:
        obey(wires, sys.stdin, sys.stdout)


def say(line: str, stream: TextIO = sys.stdout) -> None:
    stream.write(line + "\n")
    stream.flush()


def take_address(wire: str, address: str, prefix_length: int) -> None:
    from pyroute2 import IPRoute

    with IPRoute() as route:
        index = route.link_lookup(ifname=wire)[0]
        route.addr("add", index=index, address=address, prefixlen=prefix_length)


def serve(listener: socket.socket, lives: int) -> None:
    """The echo service; dies with exit code 3 at the connection number `lives`."""
    while True:
        connection, _ = listener.accept()
        lives -= 1
        if lives == 0:
            say("the end is near", sys.stderr)
            os._exit(3)
        threading.Thread(target=echo, args=(connection,), daemon=True).start()


def echo(connection: socket.socket) -> None:
    with connection:
        try:
            while data := connection.recv(65536):
                for part in [data[at : at + 1] for at in range(len(data))] if DRIPPING else [data]:
                    connection.sendall(part)
                    time.sleep(0.2 if DRIPPING else 0)
        except OSError:
            return


def await_agents(wires: list[str], agents: socket.socket) -> None:
    while True:
        connection, _ = agents.accept()
        stream = connection.makefile("rw")
        threading.Thread(target=obey, args=(wires, stream, stream), daemon=True).start()


def obey(wires: list[str], requests: TextIO, replies: TextIO) -> None:
    """The upper tester over a pair of streams."""
    raw = [socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) for _ in wires]
    for one, wire in zip(raw, wires, strict=True):
        one.bind((wire, 0))
    for line in requests:
        request = json.loads(line)
        try:
            reply: dict[str, Any] = {"result": perform(raw, request["method"], request["params"])}
        except LookupError:
            reply = {"error": {"code": -32601, "message": "no such verb"}}
        except (OSError, ValueError) as error:
            reply = {"error": {"code": -32000, "message": str(error)}}
        say(json.dumps({"jsonrpc": "2.0", "id": request["id"], **reply}), replies)


def perform(raw: list[socket.socket], verb: str, wanted: dict[str, Any]) -> Any:
    if verb == "listen":
        listener = socket.create_server(("", wanted["port"]), backlog=64)
        LISTENERS.append(listener)
        return {"listener": listener.fileno(), "port": listener.getsockname()[1]}
    if verb == "status":
        return {"pid": os.getpid()}
    if verb == "emit":
        for frame in wanted["frames"]:
            time.sleep(wanted.get("after_s", 0))
            raw[wanted.get("wire", 0)].send(bytes.fromhex(frame))
        return {}
    if verb == "flood":
        arguments = raw[0], bytes.fromhex(wanted["frame"]), wanted["seconds"]
        FLOODS.append(threading.Thread(target=flood, args=arguments))
        FLOODS[-1].start()
        return {}
    if verb == "flood_over":
        while FLOODS:
            FLOODS.pop().join()
        return {}
    if verb == "move" and STUCK:
        raise OSError("the address is nailed down")
    if verb == "say":
        say(wanted["text"], sys.stderr)
        return {}
    if verb == "number":
        return 7
    if verb == "end":
        os._exit(wanted["code"])
    raise LookupError(verb)


if __name__ == "__main__":
    main()
