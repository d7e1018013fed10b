"""capabilities_baseline: no capability may be added that container runtimes do not give anyway.

Specification (k8s.io/pod-security-admission, in our words), level baseline:

- since 1.0: each name in a container's capabilities.add is one of `ALLOWED`, written exactly so: no CAP_ before it
- since 1.22: at restricted, capabilities_restricted takes its place
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.decision import Value
from podward.path import Path
from podward.policy.pss.added_capabilities import forbidden_adds, kept_adds, sentence
from podward.policy.pss.check import Check, CheckResult, Facts, PssRemedy, Revision, found
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import containers, joined

ID = "capabilities_baseline"
ALLOWED = frozenset(
    (
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    )
)


def _added(facts: Facts) -> CheckResult | None:
    bad = forbidden_adds(facts, ALLOWED)
    if not bad:
        return None
    faults: list[tuple[Path, Value, str]] = [
        (spot.set_at("capabilities", "add", index), name, sentence(spot, name))
        for spot, names in bad
        for index, name in names
    ]
    every = sorted({name for _, names in bad for _, name in names})
    who = containers([spot for spot, _ in bad])
    detail = f"{who} must not include {joined(every)} in securityContext.capabilities.add"
    return found(ID, "non-default capabilities", detail, faults)


def _cure(facts: Facts, result: CheckResult) -> PssRemedy:
    del result
    return PssRemedy(
        "Take out of capabilities.add what is not among the runtimes' defaults.",
        tuple(
            Change(spot.set_at("capabilities", "add"), kept_adds(spot, ALLOWED))
            for spot, _ in forbidden_adds(facts, ALLOWED)
        ),
    )


CHECK = Check(ID, Level.BASELINE, (Revision(0, _added),), _cure)
