"""How many bytes of arguments and environment execve(2) takes: as predicted, and as this kernel does."""

import errno
import os
import resource

import pytest

from podward.api.oci import LONGEST_STRING, Process
from podward.policy.kernel.exec_arguments import decide

STACK = 8 << 20


def process(*env: str, args: tuple[str, ...] = ("/bin/true",)) -> Process:
    return Process(args, "/", env=env)


def reason(asked: Process, stack: int = STACK) -> str:
    violations = decide(asked, stack).violations
    return violations[0].reason if violations else ""


def test_the_longest_string_that_execve_takes_is_taken_and_a_longer_one_is_named() -> None:
    assert reason(process("A=" + "x" * (LONGEST_STRING - 3))) == ""
    assert "variable A " in reason(process("A=" + "x" * (LONGEST_STRING - 2)))
    assert "args[1]" in reason(process(args=("/bin/true", "x" * LONGEST_STRING)))


def test_bytes_are_counted_not_characters() -> None:
    assert "E2BIG" in reason(process("A=" + "\u00e4" * (LONGEST_STRING // 2)))


def test_all_strings_together_may_take_a_quarter_of_the_stack() -> None:
    many = process(*(f"V{number}=" + "x" * 100_000 for number in range(30)))
    assert "E2BIG" in reason(many)
    assert reason(many, 16 << 20) == ""
    assert reason(process("A=" + "x" * 100_000), 0) == "", "but never less than 128 KiB"
    assert "E2BIG" in reason(process(*(f"V{number}=" + "x" * 100_000 for number in range(70))), 1 << 40)


def test_nul_is_refused_as_the_kernel_would_read_another_word() -> None:
    assert "NUL" in reason(process(args=("/bin/true\0/x",)))
    assert "NUL" in reason(process("A=x\0y"))


def taken(asked: Process) -> bool:
    """Whether this kernel executes it."""
    try:
        pid = os.posix_spawn(asked.args[0], list(asked.args), dict(word.split("=", 1) for word in asked.env))
    except OSError as error:
        if error.errno != errno.E2BIG:
            raise
        return False
    return os.waitpid(pid, 0)[1] == 0


@pytest.mark.parametrize("length", [LONGEST_STRING - 3, LONGEST_STRING - 2])
def test_this_kernel_agrees_about_one_string(length: int) -> None:
    asked = process("A=" + "x" * length)
    assert taken(asked) == (reason(asked) == "")


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_this_kernel_agrees_about_all_strings_together(more: int) -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_STACK)
    stack = soft if soft >= 0 else 1 << 62
    allowed = max(128 << 10, min(6 << 20, stack // 4))
    env = [f"V{number:03}=" + "x" * (65536 - 6 - 8) for number in range(allowed // 65536 - 1)]
    left = allowed - sum(len(word) + 1 + 8 for word in env) - 2 * len("/bin/true") - 2 - 8
    env.append("L=" + "x" * (left - 3 - 8 + more))
    asked = process(*env)
    assert reason(asked, stack) == "" if more <= 0 else "E2BIG" in reason(asked, stack)
    assert taken(asked) == (more <= 0)
