"""The annotations by which tools below the runtime know the container.

Specification, in our words (containerd 2.2 `annotations.DefaultCRIAnnotations`): the names of Pod, container and
image. The sandbox's id, which does not exist here, is left out. CRI-O's and Docker's, which describe their own
storage, are left out. runsc reads `container-type` and then asks for the sandbox's id: it is not told the type, and
each container becomes a sandbox of its own.
"""

from __future__ import annotations

from podward.api.cri import ContainerConfig, PodSandboxConfig
from podward.decision import Assignment, Decision
from podward.path import Key, path
from podward.policy.runtime.runtime_profile import RuntimeProfile

PREFIX = "io.kubernetes.cri."


def decide(config: ContainerConfig, sandbox: PodSandboxConfig, runtime: RuntimeProfile, oci_runtime: str) -> Decision:
    """`annotations`; `oci_runtime` is the kind of the OCI runtime below."""
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
            if not (oci_runtime == "runsc" and name == "container-type")
        )
    )
