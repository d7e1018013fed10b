"""Whether execve(2) takes the process's arguments and environment.

Specification (execve(2) "Limits on size of arguments and environment"; Linux 6.18 `bprm_stack_limits` and
`copy_strings`), in our words:
- No string may have more than 131,072 bytes with the NUL at its end.
- All strings together, the path of the file first, and a pointer for each argument and variable, may take a quarter of
  the soft stack limit, but at most 6 MiB and at least 128 KiB.
Both fail with E2BIG. A NUL ends a string: crun would run what stands before it, runc fails with EINVAL. It is refused.

HOME, which the OCI runtime adds where it is missing, is not counted, nor what a script's interpreter adds.
"""

from __future__ import annotations

from podward.api.oci import LONGEST_STRING, Process
from podward.decision import Decision, refuse
from podward.path import path
from podward.policy.kernel.sources import rule

MANUAL = rule("execve(2)")
_MOST, _LEAST, _POINTER = 6 << 20, 128 << 10, 8
_SHOWN = 60
_E2BIG = "(E2BIG, Argument list too long)"


def decide(process: Process, stack_limit: int) -> Decision:
    """A violation for the first string that execve refuses, or for all together; the soft `stack_limit` is in bytes."""
    words = [(path("process", "args", i), f"args[{i}]", word) for i, word in enumerate(process.args)]
    words += [(path("process", "env", i), f"the variable {_name(word)}", word) for i, word in enumerate(process.env)]
    for place, what, word in words:
        reason = _refusal(what, word)
        if reason:
            return refuse(place, None, reason, MANUAL)
    reason = _together(process, stack_limit)
    return refuse(path("process", "env"), None, reason, MANUAL) if reason else Decision()


def _refusal(what: str, word: str) -> str:
    """Why execve does not take this string; empty if it does."""
    if "\0" in word:
        return f"{what} has a NUL character, where every string ends for execve (EINVAL, Invalid argument)"
    if len(word) >= LONGEST_STRING or _size(word) > LONGEST_STRING:
        return f"{what} is longer than the 131,071 bytes that execve takes for one string {_E2BIG}"
    return ""


def _together(process: Process, stack_limit: int) -> str:
    """Why execve does not take all strings; empty if it does."""
    allowed = max(_LEAST, min(_MOST, stack_limit // 4))
    words = (process.args[0] if process.args else "", *process.args, *process.env)
    taken = sum(map(_size, words)) + _POINTER * (len(process.args) + len(process.env))
    if taken <= allowed:
        return ""
    return (
        f"arguments and environment take {taken:,} bytes, and execve takes {allowed:,} here, "
        f"a quarter of the stack limit {_E2BIG}: put large values into a volume"
    )


def _size(word: str) -> int:
    return len(word.encode("utf-8", "surrogatepass")) + 1


def _name(variable: str) -> str:
    name = variable.partition("=")[0]
    return name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
