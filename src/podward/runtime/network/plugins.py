"""Calling CNI plugins: what they are given, and what they answer.

Specification (CNI 1.0, sections 2 to 4, in our words): a plugin is a program that gets its verb and the container in
its environment and its configuration on standard input; it answers with JSON on standard output. ADD calls the plugins
of a list in their order, each with the result of the one before; DEL in reverse, each with the last result of ADD. An
error is an object with `code` and `msg`. A plugin with a capability gets its values in `runtimeConfig`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from podward.errors import NodeError

SECONDS = 60
INTERFACE = "eth0"
NOTHING = b"null"
"""The result before the first plugin has answered."""


class Call(Struct, frozen=True):
    """A container's attachment: its id, its namespace's path, what identifies its Pod, and the ports it wants."""

    container: str
    namespace: str
    arguments: str
    ports: tuple[dict[str, str | int], ...]
    directories: str


class _Address(Struct, frozen=True):
    address: str = ""


class Result(Struct, frozen=True):
    """What of a result is read: the addresses, with their prefix' lengths."""

    ips: tuple[_Address, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses alone."""
        return tuple(ip.address.partition("/")[0] for ip in self.ips if ip.address)


class _Error(Struct, frozen=True):
    code: int = 0
    msg: str = ""
    details: str = ""


def call(verb: str, call: Call, name: str, version: str, plugin: dict[str, msgspec.Raw], before: bytes) -> bytes:  # noqa: PLR0913, PLR0917 - the protocol's
    """Call one plugin; returns its answer. Raises NodeError with what it said."""
    kind = msgspec.json.decode(plugin["type"], type=str)
    program = _find(kind, call.directories)
    given: dict[str, object] = {**plugin, "name": name, "cniVersion": version}
    capabilities = msgspec.json.decode(plugin.get("capabilities", msgspec.Raw(b"{}")), type=dict[str, bool])
    given.pop("capabilities", None)
    if capabilities.get("portMappings") and call.ports:
        given["runtimeConfig"] = {"portMappings": call.ports}
    if before != NOTHING:
        given["prevResult"] = msgspec.Raw(before)
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "CNI_COMMAND": verb,
        "CNI_CONTAINERID": call.container,
        "CNI_NETNS": call.namespace,
        "CNI_IFNAME": INTERFACE,
        "CNI_ARGS": call.arguments,
        "CNI_PATH": call.directories,
    }
    try:
        done = subprocess.run(
            [program],
            input=msgspec.json.encode(given),
            env=environment,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NodeError(f"the CNI plugin {kind} failed: {error}", where=program) from error
    if done.returncode:
        raise NodeError(f"the CNI plugin {kind} failed: {_said(done.stdout, done.stderr)}", where=f"{program} {verb}")
    return done.stdout


def require(plugins: Sequence[dict[str, msgspec.Raw]], directories: str) -> None:
    """Raise NodeError where the program of one of these plugins is not here."""
    for plugin in plugins:
        _find(msgspec.json.decode(plugin["type"], type=str), directories)


def _find(kind: str, directories: str) -> str:
    if "/" in kind or kind in ("", ".", ".."):
        raise NodeError(f"not a CNI plugin's name: {kind!r}")
    for directory in directories.split(":"):
        if os.access(f"{directory}/{kind}", os.X_OK):
            return f"{directory}/{kind}"
    raise NodeError(
        f"there is no CNI plugin {kind}", where=directories, advice="apt-get install containernetworking-plugins"
    )


def _said(out: bytes, err: bytes) -> str:
    try:
        error = msgspec.json.decode(out, type=_Error)
    except msgspec.MsgspecError:
        return (out or err).decode("utf-8", "replace").strip()[:1000] or "it said nothing"
    return " ".join(filter(None, (error.msg, error.details)))[:1000] or f"code {error.code}"
