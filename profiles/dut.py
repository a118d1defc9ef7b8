# SPDX-License-Identifier: GPL-2.0-or-later
"""The table [dut]: who the device is, how it is started and how its applications are reached."""

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from profiles.table import Allowed, Seconds, Table, Text

Verb = Literal[
    "listen",
    "connect",
    "send",
    "receive",
    "shutdown",
    "close",
    "move",
    "add_address",
    "delete_address",
    "reset",
    "sockets",
    "status",
]

VERBS: dict[str, tuple[str, ...]] = {
    "listen": ("port", "service", "address", "protocol", "mobile_allowed", "unique_id", "one_time"),
    "connect": ("address", "port", "timeout_s", "protocol", "mobile_allowed", "unique_id", "one_time"),
    "send": ("connection", "data"),
    "receive": ("connection", "length", "timeout_s"),
    "shutdown": ("connection",),
    "close": ("connection", "listener"),
    "move": ("address",),
    "add_address": ("address", "prefix_length"),
    "delete_address": ("address",),
    "reset": (),
    "sockets": (),
    "status": (),
}
"""The verbs of the upper tester and their parameters (docs/dut-contract.md)."""

PLACEHOLDER = re.compile(r"(?<!\$)\{([a-z_]+)\}")
"""A parameter in a verb's shell command; `${NAME}` is the shell's own."""


def _check_agent(agent: Any) -> Any:
    words = isinstance(agent, list) and agent and all(isinstance(word, str) and word for word in agent)
    if agent in ("stdio", "manual") or words:
        return agent
    raise ValueError('must be "stdio", "manual" or a command: ["ssh", "box", "agent"]')


def _check_verb(verb: str, template: str) -> None:
    if unknown := sorted(set(PLACEHOLDER.findall(template)) - set(VERBS[verb])):
        allowed = ", ".join(f"{{{name}}}" for name in VERBS[verb]) or "none"
        raise ValueError(f"verbs.{verb}: {{{unknown[0]}}} is not a parameter of this verb; allowed are {allowed}")


Agent = Annotated[
    Literal["stdio", "manual"] | list[str],
    BeforeValidator(_check_agent),
    Allowed('`"stdio"`, `"manual"`, list of text'),
]


class DUT(Table):
    """The device and how to start it.

    `command` is started in the device's namespace (docs/dut-contract.md); `agent` is the upper tester: "stdio" for the
    command's own standard input and output, a command of its own, "manual" for a person at the terminal, or absent, and
    then `verbs` can hold a shell command for each verb.
    """

    name: Text = Field(description="what the certificate calls the device")
    vendor: str = Field(default="", description="who makes it")
    version: str = Field(default="", description="its version; if empty, what the device says when it is ready")
    command: Annotated[list[Text], Allowed("list of text; needed for a namespace link")] = Field(
        default=[],
        description="program and arguments that start the device (docs/dut-contract.md); "
        "`{python}` stands for the suite's interpreter",
    )
    fork_server: Annotated[list[Text], Allowed("list of text; with a command only")] = Field(
        default=[],
        description="program and arguments of a process that forks devices on request, for a device that starts slowly "
        "(docs/dut-contract.md)",
    )
    agent: Agent | None = Field(
        default=None,
        description='the upper tester: `"stdio"` for the command\'s own standard input and output, a command such as '
        '`["ssh", "box", "agent"]`, or `"manual"`: you are told what to do on the terminal and press Enter '
        "(`-n 0` only)",
    )
    verbs: Annotated[dict[Verb, Text], Allowed(f"keys {', '.join(f'`{verb}`' for verb in get_args(Verb))}")] = Field(
        default={}, description="instead of an agent, a table with a shell command for each verb; see below"
    )
    ready_timeout_s: Seconds = Field(
        default=10.0, description="seconds until the command must have printed its ready line"
    )

    @model_validator(mode="after")
    def _check_upper_tester(self) -> "DUT":
        for verb, template in self.verbs.items():
            _check_verb(verb, template)
        if self.agent and self.verbs:
            raise ValueError("verbs are allowed without agent only: who is the upper tester?")
        if self.fork_server and not self.command:
            raise ValueError("fork_server is allowed with a command only, whose place it takes")
        if self.agent == "stdio" and not self.command:
            raise ValueError('agent = "stdio" is allowed with a command only, whose standard input and output it means')
        return self
