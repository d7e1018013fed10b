"""UpdatePodSandboxResources: a kubelet has given the Pod's cgroup other resources, and says so.

Specification (CRI; containerd 2.2 `UpdatePodSandboxResources`, in our words): the cgroup is the kubelet's and has been
changed already. Plugins are asked before, what was said is noted, and plugins are told after.
"""

from __future__ import annotations

from msgspec import structs

from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import UpdatePodSandboxResourcesRequest, UpdatePodSandboxResourcesResponse
from podward.api.nri import Event
from podward.runtime.service import sandboxes
from podward.runtime.service.plugins import Question, pod_view, resources_view
from podward.runtime.service.records import SandboxRecord
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Caller


def update(
    service: RuntimeService, request: UpdatePodSandboxResourcesRequest, _caller: Caller
) -> UpdatePodSandboxResourcesResponse | CriRefusal:
    """Note a sandbox's resources."""
    found = sandboxes.find(service, request.pod_sandbox_id)
    if isinstance(found, CriRefusal):
        return found
    resources, overhead = resources_view(request.resources), resources_view(request.overhead)
    question = Question(Event.UPDATE_POD_SANDBOX, pod_view(found), None, resources, overhead)
    refusal = service.plugins.ask(question).refusal
    if refusal is not None:
        return refusal
    changed = _note(service, found, request)
    service.plugins.tell_of_sandbox(Event.POST_UPDATE_POD_SANDBOX, changed)
    return UpdatePodSandboxResourcesResponse()


def _note(service: RuntimeService, found: SandboxRecord, request: UpdatePodSandboxResourcesRequest) -> SandboxRecord:
    lock = service.records.lock(SandboxRecord, found.id)
    if lock is None:  # it was removed meanwhile
        return found
    with lock:
        record = service.records.read(SandboxRecord, found.id)
        if record is None:
            return found
        linux = structs.replace(record.config.linux, overhead=request.overhead, resources=request.resources)
        record = structs.replace(record, config=structs.replace(record.config, linux=linux))
        service.records.write(record)
        return record
