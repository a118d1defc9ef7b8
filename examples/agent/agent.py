#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An upper tester for any POSIX device with Python 3.8: this one file, the standard library alone, no root.

It speaks JSON-RPC over standard input and output (docs/dut-contract.md), on sockets of the device's own kernel:

    [dut]
    agent = ["ssh", "box", "python3", "agent.py", "--echo", "7"]

`--echo PORT` runs the echo services too, `--ready NAME` prints the ready line first, `--set-up COMMAND` is a shell
command that runs before it, and `--verb VERB=COMMAND` makes a verb of a shell command: `--verb 'move=ip-to {address}'`.
There `{name}` is the verb's parameter, quoted. Choices of MOPS applications are refused: a plain socket has none.
"""

import argparse
import errno
import itertools
import json
import os
import re
import select
import shlex
import socket
import subprocess
import sys
import threading
import time

STATES = " ESTABLISHED SYN_SENT SYN_RECEIVED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT CLOSED CLOSE_WAIT LAST_ACK LISTEN CLOSING"
GONE = (errno.ECONNRESET, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ECONNREFUSED, errno.ECONNABORTED, errno.EPIPE)
STEP_S = 0.05


class Refused(Exception):
    """What cannot be done, and why."""


class Connection:
    """A socket of an application. Of UDP `waiting` are datagrams that its listener has taken for it."""

    def __init__(self, held, listener=None, peer=None):
        self.held, self.listener, self.peer = held, listener, peer
        self.is_udp = held.type == socket.SOCK_DGRAM
        self.waiting, self.error, self.is_closed = [], None, False

    def facts(self, number):
        """Its entry in the result of `sockets`."""
        entry = {"connection": number, "listener": self.listener, "protocol": "udp" if self.is_udp else "tcp"}
        try:
            entry["local"] = "{}:{}".format(*self.held.getsockname())
            entry["peer"] = "{}:{}".format(*(self.peer or self.held.getpeername()))
            if not self.is_udp and hasattr(socket, "TCP_INFO"):
                entry["state"] = STATES.split(" ")[self.held.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]]
        except OSError:
            entry["state"] = "CLOSED"
        return entry

    def guarded(self, operation):
        """Do something with the socket; what it has died of is said again each time."""
        if self.is_closed:
            raise Refused("EBADF: it was closed")
        if self.error:
            raise OSError(self.error, os.strerror(self.error))
        try:
            return operation()
        except OSError as error:
            self.error = error.errno if error.errno in GONE else None
            raise


class Agent:
    """The verbs."""

    def __init__(self, commands):
        self.commands = commands
        self.began = time.time()
        self.numbers = itertools.count(1)
        self.listeners, self.connections = {}, {}
        self.lock = threading.RLock()

    def perform(self, verb, parameters):
        """The result of a verb; LookupError if there is none of this name."""
        if verb in self.commands:
            return self.run(self.commands[verb], parameters)
        method = getattr(self, "verb_" + verb, None)
        if method is None:
            raise LookupError(verb)
        return method(**parameters)

    @staticmethod
    def run(command, parameters):
        """A verb that is a shell command."""
        filled = re.sub(r"\{(\w+)\}", lambda name: shlex.quote(str(parameters.get(name.group(1), ""))), command)
        done = subprocess.run(filled, shell=True, stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode:
            raise Refused(done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}")
        return json.loads(done.stdout.decode() or "{}")

    def verb_status(self):
        return {"uptime_s": round(time.time() - self.began, 3)}

    def verb_sockets(self):
        with self.lock:
            return {
                "connections": [one.facts(number) for number, one in self.connections.items()],
                "listeners": [
                    {"listener": number, "port": held.getsockname()[1]} for number, held in self.listeners.items()
                ],
            }

    def verb_reset(self):
        if "move" in self.commands or "add_address" in self.commands:
            raise LookupError("reset")  # the addresses are somebody else's, who has not said how they come back
        for number in list(self.listeners):
            self.verb_close(listener=number)
        for number in list(self.connections):
            self.verb_close(connection=number)
        return {}

    def verb_listen(self, port=0, service="echo", address="", protocol="tcp"):
        if service not in ("echo", "manual"):
            raise Refused(f"service {service}: echo or manual")
        is_udp = protocol == "udp"
        held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if is_udp else socket.SOCK_STREAM)
        try:
            if port:
                held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind((address, port))
            if not is_udp:
                held.listen(1024)
        except OSError:
            held.close()
            raise
        with self.lock:
            number = next(self.numbers)
            self.listeners[number] = held
        result = {"listener": number, "port": held.getsockname()[1]}
        serve = self.take_datagrams if is_udp else self.take_connections
        threading.Thread(target=serve, args=(held, number, service), daemon=True).start()
        return result

    def verb_connect(self, address, port, timeout_s=5.0, protocol="tcp"):
        held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM)
        held.settimeout(timeout_s)
        try:
            held.connect((address, port))
        except socket.timeout:  # noqa: UP041 (another one before Python 3.10)
            held.close()
            raise OSError(errno.ETIMEDOUT, "no connection in time") from None
        except OSError:
            held.close()
            raise
        held.settimeout(None)
        return {"connection": self.keep(Connection(held))}

    def verb_send(self, connection, data):
        one, octets = self.found(connection), bytes.fromhex(data)
        if one.peer:
            one.guarded(lambda: one.held.sendto(octets, one.peer))
        else:
            one.guarded(lambda: one.held.sendall(octets))
        return {"length": len(octets)}

    def verb_receive(self, connection, length, timeout_s=5.0):
        one, end = self.found(connection), time.time() + timeout_s
        while True:
            data = one.guarded(lambda: self.part(one, length))
            if data is not None:
                return {"data": data.hex(), "eof": not data and not one.is_udp}
            if time.time() > end:
                return {"data": "", "eof": False}

    @staticmethod
    def part(one, length):
        """What is there, after a moment at the most; None if nothing is."""
        if one.peer:
            time.sleep(0 if one.waiting else STEP_S)
            return one.waiting.pop(0)[:length] if one.waiting else None
        return one.held.recv(length) if select.select([one.held], [], [], STEP_S)[0] else None

    def verb_shutdown(self, connection):
        one = self.found(connection)
        one.guarded(lambda: one.held.shutdown(socket.SHUT_WR))
        return {}

    def verb_close(self, connection=None, listener=None):
        with self.lock:
            if connection is not None:
                one = self.found(connection)
                del self.connections[connection]
                one.is_closed = True
                if not one.peer:
                    one.held.close()
            elif listener in self.listeners:
                held = self.listeners.pop(listener)
                if held.type == socket.SOCK_STREAM:
                    held.shutdown(socket.SHUT_RDWR)  # whoever waits in accept wakes up
                held.close()
            else:
                raise Refused(f"EBADF: no listener {listener}")
        return {}

    def found(self, number):
        """The connection of this number."""
        with self.lock:
            if number not in self.connections:
                raise Refused(f"EBADF: no connection {number}")
            return self.connections[number]

    def keep(self, one):
        """Give a connection its number."""
        with self.lock:
            number = next(self.numbers)
            self.connections[number] = one
        return number

    def take_connections(self, held, number, service):
        """What a listening socket accepts, until it is closed."""
        while True:
            try:
                accepted = held.accept()[0]
            except OSError:
                return
            if service == "manual":
                self.keep(Connection(accepted, number))
            else:
                threading.Thread(target=echo, args=(accepted,), daemon=True).start()

    def take_datagrams(self, held, number, service):
        """What comes to a UDP socket, until it is closed: a connection for each peer."""
        peers = {}
        while number in self.listeners:
            try:
                data, peer = held.recvfrom(65536) if select.select([held], [], [], STEP_S)[0] else (None, None)
                if peer and service == "echo":
                    held.sendto(data, peer)
            except (OSError, ValueError):
                continue
            if peer and service == "manual":
                if peer not in peers:
                    peers[peer] = Connection(held, number, peer)
                    peers[peer].waiting.append(data)
                    self.keep(peers[peer])
                else:
                    peers[peer].waiting.append(data)


def echo(held):
    """Send back what comes until the peer has closed (RFC 862)."""
    try:
        while True:
            data = held.recv(65536)
            if not data:
                break
            held.sendall(data)
    except OSError:
        pass
    held.close()


def answered(agent, line):
    """The answer to a line."""
    request = {}
    try:
        request = json.loads(line)
        return {"id": request["id"], "result": agent.perform(request["method"], request.get("params", {}))}
    except LookupError:
        return {"id": request.get("id"), "error": {"code": -32601, "message": "no such verb"}}
    except OSError as error:
        why = f"{errno.errorcode.get(error.errno, 'EIO')}: {error}"
    except (Refused, TypeError, ValueError) as error:
        why = str(error)
    return {"id": request.get("id"), "error": {"code": -32000, "message": why}}


def main():
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--echo", type=int, metavar="PORT", help="run the echo services")
    parser.add_argument("--ready", metavar="NAME", help="print the ready line, with this name of the device")
    parser.add_argument("--set-up", metavar="COMMAND", help="a shell command that is run first")
    parser.add_argument(
        "--verb", action="append", default=[], metavar="VERB=COMMAND", help="a shell command for a verb"
    )
    options = parser.parse_args()
    agent = Agent(dict(one.split("=", 1) for one in options.verb))
    if options.set_up:
        subprocess.run(options.set_up, shell=True, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    if options.echo:
        for protocol in ("tcp", "udp"):
            agent.verb_listen(options.echo, "echo", "", protocol)
        agent.listeners.clear()  # they are the device's, not those of verbs
    speaking = threading.Lock()

    def say(what):
        with speaking:
            sys.stdout.write(json.dumps(what) + "\n")
            sys.stdout.flush()

    if options.ready:
        say({"ready": True, "name": options.ready})
    for line in sys.stdin:
        answer = lambda line=line: say({"jsonrpc": "2.0", **answered(agent, line)})  # noqa: E731
        threading.Thread(target=answer, daemon=True).start()


if __name__ == "__main__":
    main()
