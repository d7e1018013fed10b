"""Rules of iptables: the way out of our own network, and what the portmap plugin leaves behind on purpose.

Pods of our own network leave this machine under its addresses: one rule for the whole subnet, made with the bridge and
removed with it. The bridge plugin would make a chain for each Pod, by six calls of iptables. Beside it are the rules
that keep Pods away from the machine's loopback addresses, and let them through where the machine passes nothing on.

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
BRIDGES = "podward"
"""What the names of our bridges begin with."""


def let_out(name: str, subnet: str) -> None:
    """Have what leaves the bridge's subnet for elsewhere leave under this machine's addresses; done before is fine.

    Raises NodeError where iptables is not here or refuses.
    """
    program = shutil.which("iptables", path=_PATH)
    if program is None:
        raise NodeError("Pods' networks need iptables", where=_PATH, advice="apt-get install iptables")
    for table, *rule in _rules(name, subnet):
        if _call(program, "-C", *rule, table=table).returncode == 0:
            continue
        done = _call(program, "-A", *rule, table=table)
        if done.returncode:
            raise NodeError(f"cannot let Pods out: {done.stderr.strip()[:1000]}", where=program)


def keep_in(name: str, subnet: str) -> None:
    """Remove what `let_out` made; nothing there is fine."""
    program = shutil.which("iptables", path=_PATH)
    if program is not None:
        for table, *rule in _rules(name, subnet):
            _call(program, "-D", *rule, table=table)


def _rules(name: str, subnet: str) -> tuple[tuple[str, ...], ...]:
    """Rules of our bridge, each with its table before it.

    Between bridges of ours Pods keep their addresses. What Pods send to loopback addresses ends here: the bridge would
    take it in, so that answers of this machine's own ports find their way. Where the machine drops what it passes on,
    as Docker has it do, Pods' packets are let through.
    """
    comment = ("-m", "comment", "--comment", "podward: the way out of its network")
    answers = ("-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED,DNAT")
    return (
        ("nat", "POSTROUTING", "-s", subnet, "!", "-o", f"{BRIDGES}+", *comment, "-j", "MASQUERADE"),
        ("raw", "PREROUTING", "-i", name, "-d", "127.0.0.0/8", *comment, "-j", "DROP"),
        ("filter", "FORWARD", "-i", name, *comment, "-j", "ACCEPT"),
        ("filter", "FORWARD", "-o", name, *answers, *comment, "-j", "ACCEPT"),
    )


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
    done = _call(program, *words)
    return done.stdout if done.returncode == 0 else ""


def _call(program: str, *words: str, table: str = "nat") -> subprocess.CompletedProcess[str]:
    command = [program, "-w", "-t", table, *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise NodeError(f"it did not end within {_SECONDS} s", where=program) from error
