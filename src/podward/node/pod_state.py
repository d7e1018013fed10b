"""What the node remembers of a Pod beside what the runtime has: it is lost when the node ends, as a kubelet's is."""

from __future__ import annotations

import time

from msgspec import Struct, field

from podward.api.cri import IDMapping, LinuxContainerResources
from podward.api.json_value import JsonObject
from podward.api.pod_seen import BackOff, ContainerSeen, Failure, PodEnding, PodSeen
from podward.documents.raw_fields import member
from podward.node.parts import Parts
from podward.node.resize import Resize
from podward.node.seen import Look
from podward.node.subject import Subject
from podward.policy.kubelet import pod_status
from podward.policy.kubelet.container_kinds import of_pod


class PodState(Struct):
    """A Pod, and what became of the attempts to start its containers.

    `grace` is set once the Pod is to end, `stopped` once nothing of it runs and nothing will, `removed` where it is not
    the node's any more. `mapping` are the ids of its user namespace, once they are set aside, `cgroup` is what its
    cgroup may take, once there is one.
    """

    subject: Subject
    resize: Resize
    failures: dict[str, Failure] = field(default_factory=dict)
    back_offs: dict[str, BackOff] = field(default_factory=dict)
    ending: PodEnding | None = None
    grace: int | None = None
    stopped: bool = False
    removed: bool = False
    mapping: IDMapping | None = None
    cgroup: LinuxContainerResources | None = None
    placed: bool = False

    def seen(self, parts: Parts, look: Look) -> PodSeen:
        """What is seen of the Pod now."""
        uid = self.subject.uid
        names = dict.fromkeys((*(name for name, _, _ in of_pod(self.subject.pod.spec)), *look.containers))
        containers = {}
        for name in names:
            runs = look.containers.get(name, ())
            told = parts.care.verdicts(uid, name, runs[0].status.id if runs else "")
            containers[name] = ContainerSeen(
                runs, self.failures.get(name), self.back_offs.get(name), told.startup, told.liveness, told.readiness
            )
        return PodSeen(
            now=time.time(),
            sandboxes=look.sandboxes,
            containers=containers,
            runtime=parts.runtime_name,
            host_ips=(parts.context.identity.address,),
            deleted=self.grace is not None,
            grace=self.grace,
            ending=self.ending,
            stopped=self.stopped,
            resizes=self.resize.told,
            recursive_read_only=parts.node.recursive_read_only,
            cgroup=self.cgroup,
        )

    def tell_status(self, parts: Parts, seen: PodSeen) -> JsonObject:
        """Decide the Pod's status of what is seen, and have it told."""
        subject = self.subject
        before = parts.statuses.of(subject.uid) or member(subject.document, "status")
        status = pod_status.decide(subject.pod, subject.document, before, seen)
        parts.statuses.put(subject.document, status)
        return status
