"""What UpdateContainerResources changes.

Specification (CRI; containerd 2.2 `updateOCIResource`, in our words): what is 0 or empty in the request stays as it
was. The values mean what they mean when a container is made (`podward.policy.runtime.linux`), so a new memory limit is
the new limit of swap, too. The OCI runtime is given the limits alone, and no list of devices: `crun update --resources`
and `runc update --resources` read the JSON of the runtime spec's `linux.resources`.
"""

from __future__ import annotations

from msgspec import Struct, field, structs

from podward.api.cri import LinuxContainerResources
from podward.api.oci import Linux, Resources
from podward.decision import Decision
from podward.policy.runtime.linux import Controllers, decide_limits
from podward.policy.runtime.runtime_profile import RuntimeProfile


class _Spec(Struct, frozen=True):
    linux: Linux = field(default_factory=Linux)


def merged(had: LinuxContainerResources, asked: LinuxContainerResources) -> LinuxContainerResources:
    """The container's resources once the request is carried out, as its status tells them."""
    changes = {name: value for name, value in structs.asdict(asked).items() if value}
    if asked.unified:
        changes["unified"] = {**had.unified, **asked.unified}
    return structs.replace(had, **changes)


def decide(asked: LinuxContainerResources, runtime: RuntimeProfile, controllers: Controllers) -> Decision:
    """What the OCI runtime is to change."""
    return decide_limits(asked, runtime, controllers)


def resources_of(decision: Decision) -> Resources:
    """The file for the OCI runtime, of the Decision of `decide`."""
    return decision.fold(_Spec).linux.resources
