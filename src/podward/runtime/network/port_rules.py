"""What the portmap plugin leaves behind on purpose: empty chains that every host port goes through.

Specification (CNI plugin portmap 1.1): the first host port makes the chains CNI-HOSTPORT-DNAT, -SETMARK and -MASQ of
the table nat, with rules in PREROUTING, OUTPUT and POSTROUTING that lead there. DEL removes the Pod's own chains and
what leads to them, and leaves these. Where no Pod's rule is in CNI-HOSTPORT-DNAT any more, nobody uses them.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess

from podward.errors import NodeError

_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
_CHAINS = ("CNI-HOSTPORT-DNAT", "CNI-HOSTPORT-SETMARK", "CNI-HOSTPORT-MASQ")
_SECONDS = 30


def remove_empty_chains() -> None:
    """Remove the chains and what leads to them, for IPv4 and IPv6, unless a Pod's host port is in them."""
    for name in ("iptables", "ip6tables"):
        program = shutil.which(name, path=_PATH)
        if program is not None:
            _remove(program)


def _remove(program: str) -> None:
    rules = _run(program, "-S").splitlines()
    if any(rule.startswith("-A CNI-HOSTPORT-DNAT ") for rule in rules):
        return
    for rule in rules:
        words = shlex.split(rule)  # iptables prints comments in quotes
        if words[0] == "-A" and words[1] not in _CHAINS and words[-1] in _CHAINS:
            _run(program, "-D", *words[1:])
    there = [rule[3:] for rule in rules if rule.startswith("-N ") and rule[3:] in _CHAINS]
    for verb in ("-F", "-X"):
        for chain in there:
            _run(program, verb, chain)


def _run(program: str, *words: str) -> str:
    command = [program, "-w", "-t", "nat", *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise NodeError(f"it did not end within {_SECONDS} s", where=program) from error
    return done.stdout if done.returncode == 0 else ""
