"""Projects: what is stored are namespaces.

Specification: openshift/openshift-apiserver, pkg/project/apiserver/registry/project and pkg/project/auth: a list and a
watch tell of those that the caller may get; from version 0 on a watch tells of what is there first. A deletion is
answered with success alone. Who loses or gets the right while he watches is told when the namespace changes next.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING

from podward.api import status
from podward.api.authorization import Attributes, Opinion
from podward.api.status import Status, encoded
from podward.documents.raw_fields import member
from podward.errors import CompactedError
from podward.schema.openshift.projects import changed, project_of, refused_change
from podward.schema.resources import BY_KIND
from podward.server import decoding
from podward.server.cache import Item
from podward.server.encoding import decoded, json_bytes
from podward.server.listing import listed, matcher, selection
from podward.server.openshift import project_requests
from podward.server.options import write_options
from podward.server.replies import document_reply, list_reply, object_reply, transformed
from podward.server.request import Answer, Reply, Request, Stream
from podward.server.routes import scope_of
from podward.server.verbs import delete as deleting
from podward.server.verbs import update
from podward.server.verbs.patch import placed
from podward.server.verbs.patching import Applying, patch_of
from podward.server.verbs.watch import too_old
from podward.server.verbs.writing import managed, mutated

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.server.listing import Selection
    from podward.server.options import WriteOptions
    from podward.server.scope import Scope
    from podward.store.interface import Event, Stored, Watch

_LONGEST, _PAUSE = 3600.0, 1.0
_RBAC = "rbac.authorization.k8s.io/v1"
_RIGHTS = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
Make = Callable[["JsonObject"], "JsonObject | Status"]
"""The changed project, of the one before."""


async def handle(scope: Scope, request: Request) -> Answer:
    """Serve a project, or those that the caller may see."""
    namespaces = scope_of(scope.parts, BY_KIND["v1", "Namespace"])
    verb = request.info.verb
    if verb == "get":
        stored = await scope.parts.store.get(namespaces.key("", request.info.name))
        if stored is None:
            return status.not_found(namespaces.group_resource, request.info.name)
        return object_reply(scope, request, 200, project_of(decoded(stored)))
    if verb == "list":
        return await _listed(scope, namespaces, request)
    if verb == "watch":
        return await _watched(scope, namespaces, request)
    if verb == "delete":
        return await _deleted(namespaces, request)
    if verb == "create":
        return await project_requests.create(scope, request)
    return await _changed(scope, namespaces, request)


async def _may_get(scope: Scope, request: Request, name: str) -> bool:
    wanted = Attributes(request.user, "get", "", "namespaces", name=name, namespace=name)
    return (await scope.parts.authorizer.authorize(wanted)).opinion is Opinion.ALLOW


def _name(stored: Stored) -> str:
    return stored.key.rpartition("/")[2]


async def _listed(scope: Scope, namespaces: Scope, request: Request) -> Answer:
    chosen = selection(namespaces, request)
    if isinstance(chosen, Status):
        return chosen
    found = await listed(namespaces, chosen)
    if isinstance(found, Status):
        return found
    items = [project_of(decoded(each)) for each in found.items if await _may_get(scope, request, _name(each))]
    metadata: JsonObject = {"resourceVersion": str(found.revision)}
    if found.token:
        metadata["continue"] = found.token
    if request.accepted.as_kind:
        return list_reply(scope, request, items, metadata)
    bare = [{name: value for name, value in item.items() if name not in {"kind", "apiVersion"}} for item in items]
    whole: JsonObject = {"kind": "ProjectList", "apiVersion": scope.resource.api_version, "metadata": metadata}
    return document_reply(request, 200, {**whole, "items": [*bare]})


async def _deleted(namespaces: Scope, request: Request) -> Answer:
    answer = await deleting.handle(namespaces, request)
    if isinstance(answer, Reply) and answer.code < 300:
        success: JsonObject = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return document_reply(request, answer.code, success)
    return answer


# --- changing ---------------------------------------------------------------------------------------------------------


async def _changed(scope: Scope, namespaces: Scope, request: Request) -> Answer:
    made = await (_replacing if request.method == "PUT" else _patching)(scope, request)
    if isinstance(made, Status):
        return made
    make, options = made
    manager = request.manager(options.manager)

    async def transform(old: JsonObject | None) -> JsonObject | Status:
        if old is None:
            return status.not_found(namespaces.group_resource, request.info.name)
        before = project_of(old)
        project = make(before)
        if isinstance(project, Status):
            return project
        refused = refused_change(project, before)
        if refused.violations:
            return status.invalid("Project", scope.resource.group, request.info.name, refused)
        new = managed(namespaces, manager, old, changed(old, project))
        return await mutated(namespaces, request, new, old, options)

    written = await update.write(namespaces, request, transform, options)
    if isinstance(written, Status):
        return written
    return object_reply(scope, request, 200, project_of(written.object))


async def _replacing(scope: Scope, request: Request) -> tuple[Make, WriteOptions] | Status:
    options = write_options(request.query, "UpdateOptions")
    if isinstance(options, Status):
        return options
    sent = await decoding.object_of(request, scope, options.validation)
    if isinstance(sent, Status):
        return sent
    version = member(sent, "metadata").get("resourceVersion")
    if not version:
        faults = [("metadata.resourceVersion", "Invalid value: 0: must be specified for an update")]
        return status.invalid_for(scope.resource.plural, scope.resource.group, request.info.name, faults)
    return lambda old: placed(scope, request, sent, old), options


async def _patching(scope: Scope, request: Request) -> tuple[Make, WriteOptions] | Status:
    sent = await patch_of(scope, request)
    if isinstance(sent, Status):
        return sent
    patch, options = sent
    if isinstance(patch, Applying):
        return status.bad_request("projects are not applied: apply their namespaces")

    def make(old: JsonObject) -> JsonObject | Status:
        found = patch.applied_to(old, request)
        return found if isinstance(found, Status) else placed(scope, request, found, old)

    return make, options


# --- watching ---------------------------------------------------------------------------------------------------------


async def _watched(scope: Scope, namespaces: Scope, request: Request) -> Answer:
    chosen = selection(namespaces, request)
    if isinstance(chosen, Status):
        return chosen
    version = chosen.options.version
    if version and not version.isdecimal():
        return status.bad_request(f"invalid resource version: {version!r}")
    return Stream(_Watcher(scope, namespaces, request, chosen).told())


class _Watcher:
    """One who watches projects, and what he was told of."""

    def __init__(self, scope: Scope, namespaces: Scope, request: Request, chosen: Selection) -> None:
        self._scope = scope
        self._namespaces = namespaces
        self._request = request
        self._chosen = chosen
        self._matches = matcher(namespaces, chosen)
        self._told: set[str] = set()
        self._outdated = False

    async def told(self) -> AsyncGenerator[bytes, None]:
        """The events, as pieces of the answer."""
        parts, options, cache = self._scope.parts, self._chosen.options, self._namespaces.cache
        revision = await cache.fresh()
        for item in tuple(cache.items(self._chosen.prefix)):
            if await self._sees(item.stored):
                self._told.add(_name(item.stored))
                if options.version == "0" or options.send_initial:
                    yield self._event("ADDED", item.stored)
        if options.send_initial and options.bookmarks:
            yield _bookmark(revision)
        watch = parts.store.watch(self._chosen.prefix, int(options.version or 0) or revision)
        parts.watches.add(watch)
        timer = asyncio.get_running_loop().call_later(options.timeout or _LONGEST, watch.close)
        rights = [scope_of(parts, BY_KIND[_RBAC, kind]).cache for kind in _RIGHTS]
        for each in rights:
            each.listeners.append(self._ask_again)
        try:
            async for piece in self._changes(watch):
                yield piece
        except CompactedError as error:
            yield b'{"type":"ERROR","object":' + encoded(too_old(error)) + b"}\n"
        finally:
            for each in rights:
                each.listeners.remove(self._ask_again)
            timer.cancel()
            parts.watches.discard(watch)
            watch.close()

    def _ask_again(self, _event: Event) -> None:
        """Somebody has other rights than before; perhaps it is who watches."""
        self._outdated = True

    async def _changes(self, watch: Watch) -> AsyncGenerator[bytes, None]:
        while True:
            try:
                async with asyncio.timeout(_PAUSE):
                    events = await watch.batch()
            except TimeoutError:
                async for piece in self._others():
                    yield piece
                continue
            if not events:
                return
            for event in events:
                if piece := await self._piece(event):
                    yield piece

    async def _others(self) -> AsyncGenerator[bytes, None]:
        """What is to be told because rights have changed."""
        if not self._outdated:
            return
        self._outdated = False
        for item in tuple(self._namespaces.cache.items(self._chosen.prefix)):
            name, sees = _name(item.stored), await self._sees(item.stored)
            if sees and name not in self._told:
                self._told.add(name)
                yield self._event("ADDED", item.stored)
            elif not sees and name in self._told:
                self._told.discard(name)
                yield self._event("DELETED", item.stored)

    async def _sees(self, stored: Stored) -> bool:
        wanted = self._matches is None or self._matches(Item(stored))
        return wanted and await _may_get(self._scope, self._request, _name(stored))

    async def _piece(self, event: Event) -> bytes:
        name = _name(event.stored)
        known = name in self._told
        if event.type == "PUT" and await self._sees(event.stored):
            self._told.add(name)
            return self._event("MODIFIED" if known else "ADDED", event.stored)
        self._told.discard(name)
        return self._event("DELETED", event.stored) if known else b""

    def _event(self, of: str, stored: Stored) -> bytes:
        project = project_of(decoded(stored))
        form = self._request.accepted
        if form.as_kind:
            reply = transformed(self._scope, self._request, 200, [project], None)
            body = reply.body if isinstance(reply, Reply) else json_bytes(project)
        else:
            body = json_bytes(project)
        return b'{"type":"' + of.encode() + b'","object":' + body + b"}\n"


def _bookmark(revision: int) -> bytes:
    """All that was there at the beginning has been told."""
    metadata: JsonObject = {"resourceVersion": str(revision), "annotations": {"k8s.io/initial-events-end": "true"}}
    project: JsonObject = {"kind": "Project", "apiVersion": "project.openshift.io/v1", "metadata": metadata}
    return b'{"type":"BOOKMARK","object":' + json_bytes({**project, "spec": {}, "status": {}}) + b"}\n"
