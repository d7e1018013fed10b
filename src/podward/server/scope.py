"""What a handler of a resource works with: the resource, how it is stored, its strategy, and the server's parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from podward.api.admission import GroupResource
from podward.api.authorization import Answer, Attributes
from podward.api.json_value import JsonObject
from podward.api.resource import Resource
from podward.api.status import Status
from podward.schema.custom_objects.strategy import strategy_of_custom
from podward.schema.strategies.registry import strategy_of
from podward.schema.strategies.strategy import Strategy
from podward.schema.versions import in_version
from podward.server.beginnings import Begun, ServiceAllocator
from podward.server.cache import Cache, Caches
from podward.server.catalog import Catalog, key_of, prefix_of
from podward.server.request import Request
from podward.store.interface import Store, Watch

if TYPE_CHECKING:
    from podward.access.authentication import Credentials, Outcome
    from podward.access.known_rules import KnownRules
    from podward.access.stored_rbac import StoredRbac
    from podward.api.admission import AdmissionRequest
    from podward.api.caller import User
    from podward.schema.custom_objects.kind import CustomKind
    from podward.server.account_tokens import AccountTokens
    from podward.server.proxying.reaching import Reaching


class Authorizing(Protocol):
    """Whoever says who may do what."""

    rbac: StoredRbac
    """The roles and bindings that are stored."""
    uses_rbac: bool
    """Whether they are asked."""

    async def authorize(self, wanted: Attributes) -> Answer:
        """Whether the user may do it."""

    def known_rules(self, user: User, namespace: str) -> KnownRules:
        """What can be listed of what the user may do there."""


class Authenticating(Protocol):
    """Whoever says who the caller is."""

    async def authenticate(self, credentials: Credentials, audiences: Sequence[str] = ()) -> Outcome:
        """Who it is; a token must be good for one of the audiences, or else for the server's own."""


class Admission(Protocol):
    """The plugins that a write goes through."""

    disabled: frozenset[str]
    """The names of those that are left out."""

    async def provide(self, asked: AdmissionRequest, parts: Parts) -> None:
        """Make what the request needs, where the server does that."""

    async def mutate(self, asked: AdmissionRequest, request: Request) -> JsonObject | Status | None:
        """The object as the mutating plugins leave it, or a refusal; None where there is no object."""

    async def validate(self, asked: AdmissionRequest, request: Request) -> Status | None:
        """The first refusal of the validating plugins."""

    async def charge(self, asked: AdmissionRequest, parts: Parts) -> Status | None:
        """Why the request does not fit into a quota, which is asked last; if it does, the quota is charged."""


class Converting(Protocol):
    """Whoever converts custom objects."""

    async def convert(
        self, custom: CustomKind, objs: Sequence[JsonObject], api_version: str
    ) -> list[JsonObject] | Status:
        """The objects in this version, in their order, or why they cannot be converted."""


class Clock(Struct, frozen=True):
    """What the server takes from the world: the time, new uids, random letters."""

    now: Callable[[], str]
    """The time in RFC 3339, to the second."""
    seconds: Callable[[], float]
    uid: Callable[[], str]
    letters: Callable[[int], str]


class Parts(Struct):
    """The parts of a server that handlers share."""

    store: Store
    caches: Caches
    catalog: Catalog
    authenticator: Authenticating
    tokens: AccountTokens
    authorizer: Authorizing
    admission: Admission
    clock: Clock
    scopes: dict[tuple[str, str, str, str], Scope]
    """What was made of the catalog's resources, by group, version, plural and subresource."""
    services: ServiceAllocator
    watches: set[Watch]
    """Those that are open: they end with the server."""
    converter: Converting
    reaching: Reaching
    metrics: Callable[[], Iterable[str]] = tuple
    """What Prometheus reads, line by line."""


class Scope:
    """One resource, or one subresource of it, of a server."""

    __slots__ = ("converts", "custom", "group_resource", "parts", "resource", "strategy", "subresource")

    def __init__(self, parts: Parts, resource: Resource, subresource: str = "") -> None:
        self.parts = parts
        self.resource = resource
        self.subresource = subresource
        self.custom = parts.catalog.custom(resource)
        self.converts = self.custom is not None or resource.stored != resource.group_version
        self.group_resource = GroupResource(resource.group, resource.plural)
        part = "" if subresource == "scale" else subresource  # whose writes are writes of the object itself
        self.strategy: Strategy = (
            strategy_of(resource.group, resource.plural, part, namespaced=resource.namespaced)
            if self.custom is None
            else strategy_of_custom(self.custom, part)
        )

    @property
    def storage(self) -> Resource:
        """The resource as which the objects are stored."""
        stored = self.resource.stored
        if stored == self.resource.group_version:
            return self.resource
        return self.parts.catalog.find(stored.group, stored.version, self.resource.plural) or self.resource

    def storable(self, obj: JsonObject) -> JsonObject:
        """An object of the served version in the one that is stored; a custom one is converted when it is written."""
        if self.custom is not None:
            return obj
        return in_version(obj, self.resource.stored) if self.converts else obj

    def served(self, obj: JsonObject) -> JsonObject:
        """A stored object in the version that is served."""
        if self.custom is not None:
            return self.custom.served(obj)
        return in_version(obj, self.resource.group_version) if self.converts else obj

    @property
    def by_webhook(self) -> bool:
        """Whether a webhook converts the objects, so that they are to be `read` and not just `served`."""
        return self.custom is not None and self.custom.conversion is not None

    async def read(self, obj: JsonObject) -> JsonObject | Status:
        """A stored object in the version that is served, or why it cannot be converted."""
        if not self.by_webhook:
            return self.served(obj)
        found = await self.read_all([obj])
        return found if isinstance(found, Status) else found[0]

    async def read_all(self, objs: Sequence[JsonObject]) -> list[JsonObject] | Status:
        """Stored objects in the version that is served."""
        custom = self.custom
        if custom is None or custom.conversion is None:
            return [self.served(obj) for obj in objs]
        kept = [custom.as_kept(obj) for obj in objs]
        return await self.parts.converter.convert(custom, kept, self.resource.api_version)

    async def to_store(self, obj: JsonObject) -> JsonObject | Status:
        """An object of the version that is served as it is stored, where a webhook converts."""
        custom = self.custom
        if custom is None or custom.conversion is None:
            return obj
        found = await self.parts.converter.convert(custom, [obj], str(self.resource.stored))
        return found if isinstance(found, Status) else custom.fitted(found[0])

    async def begin(self, obj: JsonObject, old: JsonObject | None, *, dry_run: bool) -> Begun | Status:
        """The object with what its kind takes before a write."""
        if self.resource.plural == "services" and not self.resource.group and self.subresource in {"", "scale"}:
            return await self.parts.services.begin(self.cache, obj, old, dry_run=dry_run)
        return Begun(obj)

    @property
    def cache(self) -> Cache:
        """All objects of the resource."""
        return self.parts.caches.of(prefix_of(self.storage))

    def key(self, namespace: str, name: str) -> str:
        """The key of an object."""
        return key_of(self.storage, namespace, name)

    def prefix(self, namespace: str = "") -> str:
        """The beginning of the keys of the objects, or of those in a namespace."""
        return prefix_of(self.storage, namespace if self.resource.namespaced else "")
