"""The annotations by which tools below the runtime know the container.

Specification, in our words (containerd 2.2 `annotations.DefaultCRIAnnotations`): the names of Pod, container and
image. The sandbox's id, which does not exist here, is left out. CRI-O's and Docker's, which describe their own
storage, are left out.
"""

from __future__ import annotations

from podward.api.cri import ContainerConfig, PodSandboxConfig
from podward.decision import Assignment, Decision
from podward.path import Key, path
from podward.policy.runtime.imitated import Runtime

PREFIX = "io.kubernetes.cri."


def decide(config: ContainerConfig, sandbox: PodSandboxConfig, runtime: Runtime) -> Decision:
    """`annotations`."""
    if runtime.name != "containerd":
        return Decision()
    rows = (
        ("container-type", "container"),
        ("container-name", config.name),
        ("image-name", config.image),
        ("sandbox-name", sandbox.name),
        ("sandbox-namespace", sandbox.namespace),
        ("sandbox-uid", sandbox.uid),
    )
    return Decision(
        tuple(
            Assignment(
                path("annotations", Key(PREFIX + name)), value, "containerd names its containers", runtime.source
            )
            for name, value in rows
        )
    )
