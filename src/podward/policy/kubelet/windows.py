"""A Linux node refuses Pods for Windows.

Specification (kubelet, node admission, in our words): a Pod whose `spec.os.name` is not this node's is refused.
`windowsOptions.hostProcess` needs a Windows node, so a Linux node refuses it too. Validation has already refused most
Windows options on Pods whose `spec.os.name` is linux.
"""

from __future__ import annotations

from podward.api.core import PodSpec, every_container
from podward.api.effective import Place
from podward.api.version import KUBERNETES
from podward.decision import Decision, Origin, Source, refuse

RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} node operating system")
WRONG_OS = "Failed to admit pod as the OS field doesn't match node OS"
HOST_PROCESS = "windowsOptions.hostProcess needs a Windows node; this node runs Linux"


def admit(spec: PodSpec, place: Place) -> Decision:
    """A violation for a Pod that only a Windows node can run."""
    base = place.pod / "spec"
    if spec.os is not None and spec.os.name not in (None, "", "linux"):
        return refuse(base / "os" / "name", spec.os.name, WRONG_OS, RULE)
    context = spec.security_context
    if context is not None and context.windows_options is not None and context.windows_options.host_process:
        return refuse(base / "securityContext" / "windowsOptions" / "hostProcess", True, HOST_PROCESS, RULE)
    for name, index, container in every_container(spec):
        own = container.security_context
        if own is not None and own.windows_options is not None and own.windows_options.host_process:
            where = base / name / index / "securityContext" / "windowsOptions" / "hostProcess"
            return refuse(where, True, HOST_PROCESS, RULE)
    return Decision()
