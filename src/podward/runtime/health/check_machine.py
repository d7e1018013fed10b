"""All checks of `podward doctor`, in their order."""

from __future__ import annotations

import os
import tempfile

from podward.runtime.health import kernel, network, runtimes, tools, without_root
from podward.runtime.health.health_check import LIMITED, OK, HealthCheck, health_check
from podward.runtime.volumes import remove_tree

_PODS = "pods"


def check_machine(root: str) -> list[HealthCheck]:
    """Every check of this machine; `root` is the state directory. Everything that the trials make is removed."""
    if os.geteuid():
        # Without root, and without a user namespace in its place, every trial would fail, for this one reason.
        return [*without_root.refused(), *kernel.rights(), *tools.programs(), *kernel.labels()]
    checks = [*kernel.rights(), *without_root.limits()]
    base = root if os.path.isdir(root) else None  # the trials must use the same file system as Pods
    directory = tempfile.mkdtemp(prefix="doctor-", dir=base)
    try:
        checks += kernel.features(directory)
        checks += kernel.labels()
        checks += tools.programs()
        checks += network.checks()
        checks += runtimes.run_each(directory, root)
    finally:
        remove_tree(directory)
    return [*checks, *tools.state(root), *_pods()]


def _pods() -> list[HealthCheck]:
    """What Podward itself does differently from a kubelet."""
    return [
        health_check((_PODS, "supplementalGroupsPolicy"), OK, "Merge and Strict"),
        health_check(
            (_PODS, "emptyDir sizeLimit"),
            LIMITED,
            "on disk: not enforced",
            ("a Pod may fill the disk; a kubelet would evict it", "medium: Memory, whose limit holds"),
        ),
        health_check(
            (_PODS, "mountPropagation"),
            LIMITED,
            "Bidirectional stays in the Pod",
            (
                "what a container mounts is seen by the Pod's other containers and not by the host",
                "none: Podward never changes the host's mounts",
            ),
        ),
    ]
