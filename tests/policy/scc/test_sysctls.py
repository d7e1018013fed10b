"""sysctls: forbidden, then safe, then allowed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podward.decision import Decision
from podward.policy.scc.sysctls import SAFE
from podward.policy.scc.violation import SccViolation


@pytest.mark.parametrize(
    ("name", "forbidden", "allowed", "detail"),
    [
        ("kernel.sem", None, None, 'unsafe sysctl "kernel.sem" is not allowed'),
        ("kernel.sem", None, ["kernel.sem"], ""),
        ("kernel.sem", None, ["kernel.*"], ""),
        ("kernel.sem", None, ["*"], ""),
        ("kernel.sem", None, ["kernel.se", "kernel.*m"], 'unsafe sysctl "kernel.sem" is not allowed'),
        ("kernel.sem", ["kernel.s*"], ["*"], 'sysctl "kernel.sem" is not allowed'),
        ("net.ipv4.tcp_rmem", None, None, ""),
        ("net.ipv4.tcp_rmem", ["*"], ["*"], 'sysctl "net.ipv4.tcp_rmem" is not allowed'),
        ("net/ipv4/tcp_rmem", None, None, 'unsafe sysctl "net/ipv4/tcp_rmem" is not allowed'),
        ('a"\n', None, None, 'unsafe sysctl "a\\"\\n" is not allowed'),
    ],
)
def test_which_sysctls_may_be_set(
    decide: Callable[..., Decision], name: str, forbidden: list[str] | None, allowed: list[str] | None, detail: str
) -> None:
    sysctls = [{"name": name, "value": "1"}]
    scc = {"forbiddenSysctls": forbidden, "allowedUnsafeSysctls": allowed}
    made = decide(scc, {"securityContext": {"sysctls": sysctls}, "containers": []})
    texts = [one.printed for one in made.violations if isinstance(one, SccViolation)]
    assert texts == ([f"spec.securityContext.sysctls[0]: Forbidden: {detail}"] if detail else [])


def test_the_safe_ones_are_allowed_by_every_scc(decide: Callable[..., Decision]) -> None:
    sysctls = [{"name": name, "value": "1"} for name in sorted(SAFE)]
    spec = {"securityContext": {"sysctls": sysctls}, "containers": []}
    assert len(SAFE) == 12
    assert decide({"allowedUnsafeSysctls": None}, spec) == Decision()


def test_each_is_named_by_its_index(decide: Callable[..., Decision]) -> None:
    sysctls = [{"name": name, "value": "1"} for name in ("a", "net.ipv4.tcp_syncookies", "b")]
    made = decide({"allowedUnsafeSysctls": None}, {"securityContext": {"sysctls": sysctls}, "containers": []})
    assert [str(one.path) for one in made.violations] == [
        "spec.securityContext.sysctls[0]",
        "spec.securityContext.sysctls[2]",
    ]
