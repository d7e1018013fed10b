"""What an APIService says of who serves a version of a group, and what its condition says of that.

Specification: Kubernetes, k8s.io/kube-aggregator, pkg/apis/apiregistration and pkg/controllers/status/remote, whose
words these are.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from msgspec import Struct

from podward.api.json_value import Json, JsonObject
from podward.api.resource import GroupVersion, Resource, Subresource
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import text, texts

_HTTPS = 443
AVAILABLE = "Available"


class Backend(Struct, frozen=True):
    """A Service that serves a version of a group. No `authorities`: the machine's."""

    name: str
    of: GroupVersion
    namespace: str
    service: str
    port: int
    authorities: bytes
    insecure: bool

    @property
    def host(self) -> str:
        """The name that its certificate has."""
        return f"{self.service}.{self.namespace}.svc"

    @property
    def path(self) -> str:
        """What it serves begins so."""
        return f"/apis/{self.of}"


class Condition(Struct, frozen=True):
    """Whether it is available, and why not."""

    status: str
    reason: str
    message: str


LOCAL = Condition("True", "Local", "Local APIServices are always available")
PASSED = Condition("True", "Passed", "all checks passed")


def backend_of(obj: JsonObject) -> Backend | None:
    """Who serves it; None where we do."""
    spec = member(obj, "spec")
    service = spec.get("service")
    if not isinstance(service, dict):
        return None
    port = service.get("port")
    try:
        authorities = base64.b64decode(text(spec, "caBundle"), validate=True)
    except binascii.Error:
        authorities = b""
    return Backend(
        text(member(obj, "metadata"), "name"),
        GroupVersion(text(spec, "group"), text(spec, "version")),
        text(service, "namespace"),
        text(service, "name"),
        port if isinstance(port, int) else _HTTPS,
        authorities,
        spec.get("insecureSkipTLSVerify") is True,
    )


def looked_up(backend: Backend, service: JsonObject | None, slices: Sequence[JsonObject]) -> Condition | None:
    """What keeps its Service from being asked; None where nothing does."""
    of = f'service/{backend.service} in "{backend.namespace}"'
    if service is None:
        return Condition("False", "ServiceNotFound", f"{of} is not present")
    spec = member(service, "spec")
    if text(spec, "type") not in {"", "ClusterIP"}:
        return None
    names = [text(each, "name") for each in objects(spec, "ports") if each.get("port") == backend.port]
    if not names:
        return Condition("False", "ServicePortError", f"{of} is not listening on port {backend.port}")
    if not slices:
        return Condition("False", "EndpointsNotFound", f"cannot find endpointslices for {of}")
    ready = any(
        texts(endpoint, "addresses") and member(endpoint, "conditions").get("ready") is not False
        for each in slices
        if any(text(port, "name") == names[0] for port in objects(each, "ports"))
        for endpoint in objects(each, "endpoints")
    )
    if not ready:
        message = f'endpointslices for {of} have no addresses with port name "{names[0]}"'
        return Condition("False", "MissingEndpoints", message)
    return None


def failed(why: str) -> Condition:
    """It was asked, and does not answer as it should."""
    return Condition("False", "FailedDiscoveryCheck", why)


def with_condition(obj: JsonObject, condition: JsonObject, now: str) -> JsonObject | None:
    """The APIService with this condition; None where it has it already."""
    status = member(obj, "status")
    known = objects(status, "conditions")
    before = next((each for each in known if text(each, "type") == AVAILABLE), {})
    if all(before.get(name) == condition[name] for name in ("status", "reason", "message")):
        return None
    since = before.get("lastTransitionTime") if before.get("status") == condition["status"] else now
    made: JsonObject = {"type": AVAILABLE, **condition, "lastTransitionTime": since or now}
    others: list[Json] = [each for each in known if text(each, "type") != AVAILABLE]
    return {**obj, "status": {**status, "conditions": [*others, made]}}


def resources_in(of: GroupVersion, document: JsonObject) -> tuple[Resource, ...]:
    """The resources of an APIResourceList, for discovery to tell of."""
    listed = objects(document, "resources")
    parts: dict[str, list[Subresource]] = {}
    for each in listed:
        plural, slash, name = text(each, "name").partition("/")
        if slash:
            group, version = text(each, "group") or of.group, text(each, "version") or of.version
            parts.setdefault(plural, []).append(
                Subresource(name, text(each, "kind"), group, version, tuple(texts(each, "verbs")))
            )
    return tuple(
        Resource(
            of.group, of.version, text(each, "kind"), text(each, "name"), text(each, "singularName"),
            each.get("namespaced") is True, f"{text(each, 'kind')}List", of, tuple(texts(each, "shortNames")),
            tuple(texts(each, "categories")), tuple(texts(each, "verbs")), tuple(parts.get(text(each, "name"), ())),
        )
        for each in listed
        if "/" not in text(each, "name")
    )  # fmt: skip
