"""windowsHostProcess: no container may run as a process of a Windows node.

Specification (k8s.io/pod-security-admission, in our words), level baseline:

- since 1.0: neither the Pod nor a container sets windowsOptions.hostProcess to true
"""

from __future__ import annotations

from podward.api.core import WindowsOptions
from podward.api.explanation import Change
from podward.policy.pss.check import (
    Check,
    CheckResult,
    FieldViolation,
    PssFacts,
    PssRemedy,
    Revision,
    failed,
    pod_context_path,
)
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import container_title, setter_list

ID = "windowsHostProcess"


def _is_host_process(options: WindowsOptions | None) -> bool:
    return options is not None and options.host_process is True


def _host_process(facts: PssFacts) -> CheckResult | None:
    pod_bad = _is_host_process(facts.context.windows_options)
    bad = [container for container in facts.containers if _is_host_process(container.context.windows_options)]
    if not (pod_bad or bad):
        return None
    violations: list[FieldViolation] = []
    if pod_bad:
        at = pod_context_path("windowsOptions", "hostProcess")
        violations.append((at, True, "The Pod's containers are processes of the Windows node."))
    violations += [
        (
            container.context_path("windowsOptions", "hostProcess"),
            True,
            f"{container_title(container)} is a process of the Windows node.",
        )
        for container in bad
    ]
    who = setter_list(bad, pod=pod_bad)
    return failed(ID, "hostProcess", f"{who} must not set securityContext.windowsOptions.hostProcess=true", violations)


def _remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    del facts
    return PssRemedy(
        "Remove hostProcess.",
        tuple(Change(violation.path, None) for violation in result.decision.violations),
    )


CHECK = Check(ID, Level.BASELINE, (Revision(0, _host_process),), _remedy)
