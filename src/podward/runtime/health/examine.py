"""All checks, in the order in which they are read."""

from __future__ import annotations

import os
import tempfile

from podward.runtime.health import kernel, runtimes, tools
from podward.runtime.health.check import LIMITED, OK, Check, check
from podward.runtime.volumes import remove_tree

_PODS = "pods"


def examine(root: str) -> list[Check]:
    """Every check of this machine; `root` is the state directory. What the trials make is gone afterwards."""
    checks = kernel.rights()
    if os.geteuid():
        # Without root every trial would fail for that one reason.
        return [*checks, *tools.programs(), *kernel.labels()]
    base = root if os.path.isdir(root) else None  # the trials are to be on the file system that the Pods will be on
    directory = tempfile.mkdtemp(prefix="doctor-", dir=base)
    try:
        checks += kernel.features(directory)
        checks += kernel.labels()
        checks += tools.programs()
        checks += runtimes.run_each(directory, root)
    finally:
        remove_tree(directory)
    return [*checks, *tools.state(root), *_pods()]


def _pods() -> list[Check]:
    """What Podward itself does otherwise than a kubelet."""
    return [
        check((_PODS, "supplementalGroupsPolicy"), OK, "Merge and Strict"),
        check(
            (_PODS, "emptyDir sizeLimit"),
            LIMITED,
            "on disk: not enforced",
            ("a Pod may fill the disk; a kubelet would evict it", "medium: Memory, whose limit holds"),
        ),
        check(
            (_PODS, "mountPropagation"),
            LIMITED,
            "Bidirectional stays in the Pod",
            (
                "what a container mounts is seen by the Pod's other containers and not by the host",
                "none: Podward never changes the host's mounts",
            ),
        ),
    ]
