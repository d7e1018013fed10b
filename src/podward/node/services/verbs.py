"""What a worker of the engine does about Services: nftables' rules, and connections that the kernel is to forget."""

from __future__ import annotations

import re
import shutil
import subprocess

from msgspec import Struct

from podward.api.cri_refusal import CriRefusal
from podward.errors import NodeError
from podward.node.services import lock
from podward.policy.proxy.forgotten import Flow
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Caller, Verb

_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
_SECONDS = 60
_OURS = re.compile(rf"table ip ({lock.TABLE}-[0-9a-f]{{8}})")


class RulesRequest(Struct, frozen=True):
    """Commands of one transaction of nft."""

    commands: str


class RulesAnswer(Struct, frozen=True):
    """What nft said against them; empty where they hold now."""

    refused: str = ""


class SweepRequest(Struct, frozen=True):
    """The table that is in use here."""

    table: str


class ForgetRequest(Struct, frozen=True):
    """UDP connections that are to be forgotten."""

    flows: tuple[Flow, ...]


class Nothing(Struct, frozen=True):
    """Done."""


def apply(service: RuntimeService, request: RulesRequest, caller: Caller) -> RulesAnswer | CriRefusal:
    """Have rules hold, all of them or none."""
    del service, caller
    done = _call(_nft(), "-f", "-", given=request.commands)
    return RulesAnswer("" if done.returncode == 0 else (done.stderr.strip()[:1000] or f"code {done.returncode}"))


def sweep(service: RuntimeService, request: SweepRequest, caller: Caller) -> Nothing | CriRefusal:
    """Remove the tables of clusters whose nodes are gone."""
    del service, caller
    program = _nft()
    for table in _OURS.findall(_call(program, "list", "tables", "ip").stdout):
        if table != request.table and (held := lock.attempt(table)) is not None:
            with held:
                _call(program, "delete", "table", "ip", table)
    return Nothing()


def forget(service: RuntimeService, request: ForgetRequest, caller: Caller) -> Nothing | CriRefusal:
    """Have the kernel forget connections; none of them there is fine, and so is no program for it."""
    del service, caller
    program = shutil.which("conntrack", path=_PATH)
    for flow in request.flows if program is not None else ():
        address = ("--orig-dst", flow.address) if flow.address else ()
        answered = ("--reply-src", flow.answered_from) if flow.answered_from else ()
        _call(program or "", "-D", "-p", "udp", *address, "--orig-port-dst", str(flow.port), *answered)
    return Nothing()


def _nft() -> str:
    program = shutil.which("nft", path=_PATH)
    if program is None:
        raise NodeError("Services need nft", where=_PATH, advice="apt-get install nftables")
    return program


def _call(program: str, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [program, *words]
    try:
        return subprocess.run(
            command, input=given, capture_output=True, text=True, timeout=_SECONDS, check=False, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NodeError(f"it cannot be used: {error}", where=program) from error


APPLY_RULES = Verb("ApplyRules", RulesRequest, RulesAnswer, apply)
SWEEP_RULES = Verb("SweepRules", SweepRequest, Nothing, sweep)
FORGET_CONNECTIONS = Verb("ForgetConnections", ForgetRequest, Nothing, forget)
VERBS: tuple[object, ...] = (APPLY_RULES, SWEEP_RULES, FORGET_CONNECTIONS)
"""All of them, for the engine's table."""
