"""Which Pods belong together with one: those of its Services and of its workload.

Specification: Kubernetes, pkg/scheduler/framework/plugins/helper/spread.go (DefaultSelector): the selectors of all
Services that select the Pod, merged, and the one of its ReplicationController, ReplicaSet or StatefulSet.
"""

from __future__ import annotations

from msgspec import ValidationError, convert

from podward.api.claim import LabelSelector
from podward.api.json_value import JsonObject
from podward.client.informer import Informers
from podward.controllers.apps.ownership import controller_of, labels_of, namespace_of
from podward.documents.raw_fields import member
from podward.policy.scheduling.pod_terms import Together
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import strings, text

_SERVICES = BY_PLURAL["", "v1", "services"]
_CONTROLLERS, _SETS, _STATEFUL = (
    BY_PLURAL["", "v1", "replicationcontrollers"],
    BY_PLURAL["apps", "v1", "replicasets"],
    BY_PLURAL["apps", "v1", "statefulsets"],
)


class Companions:
    """Knows Services and workloads."""

    def __init__(self, informers: Informers) -> None:
        self._services = informers.of(_SERVICES)
        self._workloads = {
            (resource.api_version, resource.kind): informers.of(resource)
            for resource in (_CONTROLLERS, _SETS, _STATEFUL)
        }

    def of(self, pod: JsonObject) -> Together:
        """What selects them; nothing where the Pod is on its own."""
        labels, namespace = labels_of(pod), namespace_of(pod)
        merged: dict[str, str] = {}
        for service in self._services.items(namespace):
            selector = strings(member(service, "spec"), "selector")
            if all(labels.get(name) == value for name, value in selector.items()):
                merged.update(selector)
        found = [LabelSelector(match_labels=dict(merged))] if merged else []
        return (*found, *self._of_workload(pod, namespace))

    def _of_workload(self, pod: JsonObject, namespace: str) -> Together:
        reference = controller_of(pod)
        if reference is None:
            return ()
        informer = self._workloads.get((text(reference, "apiVersion"), text(reference, "kind")))
        owner = None if informer is None else informer.get(namespace, text(reference, "name"))
        selector = None if owner is None else member(owner, "spec").get("selector")
        if not selector:
            return ()
        try:
            written = {"matchLabels": selector} if text(reference, "kind") == _CONTROLLERS.kind else selector
            return (convert(written, LabelSelector),)
        except ValidationError:
            return ()
