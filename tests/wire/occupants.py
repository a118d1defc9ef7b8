# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m tests.wire.occupants PROFILE WHAT [OPTION]`: whether `lab0` is free where WHAT has it already."""

import os
import sys
from pathlib import Path

from pyroute2 import IPRoute

from profiles import load
from testbed.device import linux
from testbed.device.namespaces import enter_namespaces
from testbed.device.occupied import Occupation
from testbed.device.supervisor import LinkError


def main() -> int:
    """Print what the second one is told; exit code 1 where it is refused."""
    path, what, *allowed = sys.argv[1:]
    linux.die_with_parent(os.getppid())
    enter_namespaces()
    with IPRoute() as route:
        route.link("add", ifname="lab0", kind="veth", peer="far0")
        index = route.link_lookup(ifname="lab0")[0]
        route.link("set", index=index, state="up")
        if what == "an address":
            route.addr("add", index=index, address="198.19.7.7", prefixlen=24)
        if what == "the default route":
            route.addr("add", index=index, address="192.0.2.1", prefixlen=24)
            route.route("add", dst="default", gateway="192.0.2.254")
        if what == "a default route by two paths":
            route.addr("add", index=index, address="192.0.2.1", prefixlen=24)
            route.route(
                "add", dst="0.0.0.0/0", multipath=[{"gateway": f"192.0.2.{host}", "oif": index} for host in (253, 254)]
            )
        if what == "a bridge":
            route.link("add", ifname="br0", kind="bridge")
            route.link("set", index=index, master=route.link_lookup(ifname="br0")[0])
        if what == "a second MAC":
            route.link("add", ifname="mac0", kind="macvlan", link=index)
    profile = load(Path(path))
    others = [Occupation(profile)] if what == "another run" else []
    try:
        Occupation(profile, allowed)
    except LinkError as error:
        sys.stdout.write(str(error))
        return 1
    finally:
        for other in others:
            other.release()
    return 0


if __name__ == "__main__":
    sys.exit(main())
