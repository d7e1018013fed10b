"""Which owners are looked at again when an owner or a Pod changes, and what of the awaited has come.

Specification: Kubernetes, the event handlers of pkg/controller/replicaset, daemon and statefulset. A Pod's controller
is all that counts; a Pod without one concerns all owners whose selector matches. A Pod that is being deleted counts as
deleted. Where Pods must be ready for some seconds, the owner is looked at again after that time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.controllers.apps.acting import owner_in
from podward.controllers.apps.ownership import (
    controller_of,
    controller_uid,
    is_going,
    key_of,
    labels_of,
    namespace_of,
    uid_of,
)
from podward.controllers.apps.pods import is_ready
from podward.documents.raw_fields import member
from podward.schema.validation.raw import number

if TYPE_CHECKING:
    from collections.abc import Callable

    from podward.api.json_value import JsonObject
    from podward.client.informer import Change, Informer
    from podward.client.work import WorkQueue
    from podward.controllers.apps.expectations import Expectations


class Following:
    """Puts the keys of owners into a queue."""

    def __init__(
        self,
        owners: Informer,
        matches: Callable[[JsonObject], Callable[[JsonObject], bool]],
        expectations: Expectations,
        queue: WorkQueue,
    ) -> None:
        """`matches`: what the selector of an owner matches."""
        self._owners = owners
        self._matches = matches
        self._expectations = expectations
        self._queue = queue

    def start(self, pods: Informer) -> None:
        """Put all owners into the queue, and from now on those that something changes for."""
        self._owners.listeners.append(self._take_owner)
        pods.listeners.append(self._take_pod)
        for owner in self._owners.items():
            self._queue.add(key_of(owner))

    def _take_owner(self, change: Change) -> None:
        key = key_of(change.object)
        if change.old is not None and (change.new is None or uid_of(change.new) != uid_of(change.old)):
            self._expectations.forget(key)
        self._queue.add(key)

    def _take_pod(self, change: Change) -> None:
        pod, old = change.object, change.old
        owner = owner_in(self._owners, pod)
        if change.new is None or is_going(pod):
            self._note_end(owner, pod)
            return
        if old is not None and controller_uid(old) != controller_uid(pod):
            self._note(owner_in(self._owners, old))
        if owner is None:
            if controller_of(pod) is None and (old is None or _may_be_claimed(old, pod)):
                self._note_orphan(pod)
            return
        if old is None:
            self._expectations.created(key_of(owner))
        self._note(owner)
        wait = number(member(owner, "spec"), "minReadySeconds")
        if wait and is_ready(pod) and (old is None or not is_ready(old)):
            self._queue.add_after(key_of(owner), wait)

    def _note(self, owner: JsonObject | None) -> None:
        if owner is not None:
            self._queue.add(key_of(owner))

    def _note_end(self, owner: JsonObject | None, pod: JsonObject) -> None:
        if owner is not None:
            self._expectations.deleted(key_of(owner), uid_of(pod))
            self._note(owner)

    def _note_orphan(self, pod: JsonObject) -> None:
        for owner in self._owners.items(namespace_of(pod)):
            if self._matches(owner)(pod):
                self._note(owner)


def _may_be_claimed(old: JsonObject, pod: JsonObject) -> bool:
    return labels_of(old) != labels_of(pod) or controller_uid(old) != controller_uid(pod)
