"""Making, deleting, adopting and letting go of a Job's Pods; what was written is known before the watch tells of it.

Specification: Kubernetes, pkg/controller RealPodControl, whose events these are, and pkg/controller/job, which adopts
with the tracking finalizer and takes it off what it lets go of.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client, PatchKind
from podward.client.events import Recorder
from podward.controllers.apps.acting import INVALID, NOT_FOUND, PODS, is_ending
from podward.controllers.apps.ownership import (
    Claims,
    adoption,
    claims,
    is_going,
    name_of,
    namespace_of,
    release,
    selected_by,
    uid_of,
)
from podward.controllers.jobs.pods_of import FINALIZER, is_tracked
from podward.controllers.written import Written
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL

JOBS = BY_PLURAL["batch", "v1", "jobs"]
_REMOVAL: JsonObject = {"metadata": {"$deleteFromPrimitiveList/finalizers": [FINALIZER]}}


class PodWriting:
    """The Pods of all Jobs."""

    def __init__(self, client: Client, recorder: Recorder, pods: Written) -> None:
        self._client = client
        self._recorder = recorder
        self._pods = pods

    async def make(self, job: JsonObject, pod: JsonObject) -> Status | None:
        """Make a Pod; what refused it."""
        answer = await self._client.create(PODS, namespace_of(job), pod)
        if not isinstance(answer, Status):
            self._pods.put(answer)
            self._recorder.event(job, "Normal", "SuccessfulCreate", f"Created pod: {name_of(answer)}")
            return None
        if not is_ending(answer):
            self._recorder.event(job, "Warning", "FailedCreate", f"Error creating: {answer.message}")
        return answer

    async def delete(self, job: JsonObject, pod: JsonObject) -> Status | None:
        """Delete a Pod; what refused it, other than that it was gone."""
        name = name_of(pod)
        answer = await self._client.delete(PODS, namespace_of(job), name, {"preconditions": {"uid": uid_of(pod)}})
        if not isinstance(answer, Status):
            if answer.get("kind") == "Pod":
                self._pods.put(answer)
            else:
                self._pods.gone(pod)
            self._recorder.event(job, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")
            return None
        if answer.code == NOT_FOUND:
            self._pods.gone(pod)
            return None
        self._recorder.event(job, "Warning", "FailedDelete", f"Error deleting: {answer.message}")
        return answer

    async def untrack(self, pod: JsonObject) -> Status | None:
        """Take the tracking finalizer off a Pod; what refused it, other than that it was gone."""
        if not is_tracked(pod):
            return None
        answer = await self._patched(pod, _REMOVAL)
        return None if not isinstance(answer, Status) or answer.code == NOT_FOUND else answer

    async def claimed(self, job: JsonObject) -> list[JsonObject] | Status:
        """The Pods of a Job, after it has adopted and let go of what it has to."""
        matches = selected_by(member(member(job, "spec"), "selector"))
        found = claims(job, matches, self._pods.items(namespace_of(job)))
        for pod in found.released:
            refused = await self._released(job, pod)
            if refused is not None:
                return refused
        return [*found.kept, *await self._adopted(job, found)] if found.adopted else list(found.kept)

    async def _released(self, job: JsonObject, pod: JsonObject) -> Status | None:
        patch = release(job, pod)
        member(patch, "metadata").update(member(_REMOVAL, "metadata"))
        answer = await self._patched(pod, patch)
        return answer if isinstance(answer, Status) and answer.code not in {NOT_FOUND, INVALID} else None

    async def _adopted(self, job: JsonObject, found: Claims) -> list[JsonObject]:
        """Adopt, after the Job was read past the cache: it may have been deleted meanwhile."""
        fresh = await self._client.get(JOBS, namespace_of(job), name_of(job))
        if isinstance(fresh, Status) or uid_of(fresh) != uid_of(job) or is_going(fresh):
            return []
        has = []
        for pod in found.adopted:
            patch = adoption(job, pod)
            member(patch, "metadata")["finalizers"] = [FINALIZER]
            answer = await self._patched(pod, patch)
            if not isinstance(answer, Status):
                has.append(answer)
        return has

    async def _patched(self, pod: JsonObject, patch: JsonObject) -> JsonObject | Status:
        answer = await self._client.patch(PODS, namespace_of(pod), name_of(pod), patch, PatchKind.STRATEGIC)
        if not isinstance(answer, Status):
            self._pods.put(answer)
        elif answer.code == NOT_FOUND:
            self._pods.gone(pod)
        return answer
