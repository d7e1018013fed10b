"""windowsHostProcess: no container may be a process of a Windows node.

Specification (k8s.io/pod-security-admission, in our words), level baseline:

- since 1.0: neither the Pod nor a container sets windowsOptions.hostProcess to true
"""

from __future__ import annotations

from podward.api.core import WindowsOptions
from podward.api.explanation import Change
from podward.decision import Value
from podward.path import Path
from podward.policy.pss.check import Check, CheckResult, Facts, PssRemedy, Revision, found, on_pod
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import owner, setters

ID = "windowsHostProcess"


def _asks(options: WindowsOptions | None) -> bool:
    return options is not None and options.host_process is True


def _host_process(facts: Facts) -> CheckResult | None:
    pod_bad = _asks(facts.context.windows_options)
    bad = [spot for spot in facts.spots if _asks(spot.context.windows_options)]
    if not (pod_bad or bad):
        return None
    faults: list[tuple[Path, Value, str]] = []
    if pod_bad:
        at = on_pod("windowsOptions", "hostProcess")
        faults.append((at, True, "The Pod's containers are processes of the Windows node."))
    faults += [
        (spot.set_at("windowsOptions", "hostProcess"), True, f"{owner(spot)} is a process of the Windows node.")
        for spot in bad
    ]
    who = setters(bad, pod=pod_bad)
    return found(ID, "hostProcess", f"{who} must not set securityContext.windowsOptions.hostProcess=true", faults)


def _cure(facts: Facts, result: CheckResult) -> PssRemedy:
    del facts
    return PssRemedy(
        "Remove hostProcess.",
        tuple(Change(fault.path, None) for fault in result.decision.violations),
    )


CHECK = Check(ID, Level.BASELINE, (Revision(0, _host_process),), _cure)
