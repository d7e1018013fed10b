"""The configuration of admission plugins from a file, and the files that it names.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/config.go: an AdmissionConfiguration holds the configuration
of each plugin, or the path of a file with it, from the folder of the first one. Podward refuses what the real server
overlooks: a plugin that there is not, or twice, and fields that nobody reads.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct, structs

from podward.api.json_value import JsonObject
from podward.documents.document import Document
from podward.documents.reader import decode_documents
from podward.errors import InputError
from podward.path import Path, path
from podward.policy.pss.labels import Configuration, Exemptions, cluster_policy
from podward.schema.configuration import Expected, the_document, typed
from podward.stages.admission.node_selectors import parsed
from podward.stages.admission.settings import EVENT_LIMITS, OFF_BY_DEFAULT, EventLimit, PluginSettings, QuotaLimit

_VERSION = "apiserver.config.k8s.io/v1"
_ADVICE = f"it is one document with apiVersion: {_VERSION}, kind: AdmissionConfiguration and a list of plugins"
_EXPECTED = Expected("an admission configuration", "AdmissionConfiguration", (_VERSION,), _ADVICE)

ReadFile = Callable[[str], bytes]


class Configured(Struct, frozen=True):
    """What a server's plugins are told, and the names of those that are left out."""

    pod_security: Configuration = Configuration()
    plugins: PluginSettings = PluginSettings()
    disabled: frozenset[str] = OFF_BY_DEFAULT
    publishes: bool = False
    """Whether the server itself puts its authority's certificate into every namespace."""


NOT_CONFIGURED = Configured()
"""What holds where there is no file."""


class _Plugin(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    path: str | None = ""
    configuration: dict[str, object] | None = None


class _Configuration(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    api_version: str
    kind: str
    plugins: tuple[_Plugin, ...] | None = ()


class _Place(Struct, frozen=True):
    """Where a plugin's configuration is: in a document, from here on."""

    document: Document
    at: Path

    def wrong(self, at: Path, why: str) -> InputError:
        """The error about a field of it."""
        whole = Path((*self.at.segments, *at.segments))
        return InputError(f"{whole}: {why}", where=self.document.where(whole), advice="see the plugin's documentation")


Reader = Callable[[_Place, Configured], Configured]


def read(content: bytes, name: str, read_file: ReadFile) -> Configured:
    """What the file of this name configures. Raises InputError with the line of what is wrong."""
    document = the_document(content, name, _EXPECTED)
    found, seen = NOT_CONFIGURED, set[str]()
    for index, plugin in enumerate(typed(document, _Configuration, _ADVICE).plugins or ()):
        place = _Place(document, path("plugins", index))
        reader = _READERS.get(plugin.name)
        if reader is None:
            known = ", ".join(_READERS)
            raise place.wrong(path("name"), f"{plugin.name} has no configuration here; these have: {known}")
        if plugin.name in seen:
            raise place.wrong(path("name"), f"{plugin.name} is configured twice")
        seen.add(plugin.name)
        if plugin.configuration is not None:
            found = reader(_Place(document, path("plugins", index, "configuration")), found)
        elif plugin.path:
            file = posixpath.join(posixpath.dirname(name), plugin.path)
            documents = decode_documents(read_file(file), file)
            if len(documents) != 1:
                raise place.wrong(path("path"), f"{file} must hold one document; it holds {len(documents)}")
            found = reader(_Place(documents[0], Path()), found)
    return found


class _Kind(Struct, frozen=True, rename="camel"):
    api_version: str = ""
    kind: str = ""


def _require(place: _Place, kind: str, *versions: str) -> None:
    found = typed(place.document, _Kind, _ADVICE, place.at)
    if found.kind != kind:
        raise place.wrong(path("kind"), f"this must be {kind}")
    if found.api_version not in versions:
        raise place.wrong(path("apiVersion"), f"this must be {versions[0]}")


# --- PodSecurity ------------------------------------------------------------------------------------------------------


class _Exemptions(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    usernames: tuple[str, ...] | None = ()
    namespaces: tuple[str, ...] | None = ()
    runtime_classes: tuple[str, ...] | None = ()


class _PodSecurity(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    api_version: str
    kind: str
    defaults: Mapping[str, str] | None = None
    exemptions: _Exemptions | None = None


_MODES = frozenset(f"{mode}{end}" for mode in ("enforce", "audit", "warn") for end in ("", "-version"))


def _pod_security(place: _Place, before: Configured) -> Configured:
    group = "pod-security.admission.config.k8s.io"
    _require(place, "PodSecurityConfiguration", f"{group}/v1", f"{group}/v1beta1", f"{group}/v1alpha1")
    written = typed(place.document, _PodSecurity, _ADVICE, place.at)
    defaults = written.defaults or {}
    for name in defaults:
        if name not in _MODES:
            raise place.wrong(path("defaults", name), "there is no such field")
    try:
        policy = cluster_policy(defaults)
    except InputError as error:
        field = str(error.where).removeprefix("defaults.")
        raise place.wrong(path("defaults", field), f"Invalid value: {error.what}") from None
    given = written.exemptions or _Exemptions()
    lists = {name: getattr(given, name) or () for name in ("usernames", "namespaces", "runtime_classes")}
    for name, values in lists.items():
        for index, value in enumerate(values):
            if not value or value in values[:index]:
                field = "runtimeClasses" if name == "runtime_classes" else name
                raise place.wrong(path("exemptions", field, index), "it is empty" if not value else "it stands twice")
    exemptions = Exemptions(**{name: frozenset(values) for name, values in lists.items()})
    return structs.replace(before, pod_security=Configuration(policy, exemptions))


# --- PodNodeSelector and PodTolerationRestriction ---------------------------------------------------------------------


class _NodeSelectors(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    pod_node_selector_plugin_config: Mapping[str, str | None] | None = None


def _node_selectors(place: _Place, before: Configured) -> Configured:
    written = typed(place.document, _NodeSelectors, _ADVICE, place.at).pod_node_selector_plugin_config or {}
    for name, selector in written.items():
        found = parsed(selector or "")
        if isinstance(found, str):
            raise place.wrong(path("podNodeSelectorPluginConfig", name), found)
    selectors = {name: selector or "" for name, selector in written.items()}
    return _with(before, node_selectors=selectors)


class _Toleration(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""
    toleration_seconds: int | None = None


class _Tolerations(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    api_version: str
    kind: str
    default: tuple[_Toleration, ...] | None = None
    whitelist: tuple[_Toleration, ...] | None = None


_OPERATORS, _EFFECTS = ("", "Equal", "Exists"), ("", "NoSchedule", "PreferNoSchedule", "NoExecute")


def _tolerations(place: _Place, before: Configured) -> Configured:
    _require(place, "Configuration", "podtolerationrestriction.admission.k8s.io/v1alpha1")
    written = typed(place.document, _Tolerations, _ADVICE, place.at)
    for field, listed in (("default", written.default), ("whitelist", written.whitelist)):
        for index, each in enumerate(listed or ()):
            if each.operator not in _OPERATORS:
                raise place.wrong(path(field, index, "operator"), f"Unsupported value: {each.operator}")
            if each.effect not in _EFFECTS:
                raise place.wrong(path(field, index, "effect"), f"Unsupported value: {each.effect}")
            if not each.key and each.operator != "Exists":
                why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
                raise place.wrong(path(field, index, "operator"), f"Invalid value: {why}")
    return _with(
        before,
        default_tolerations=None if written.default is None else _raw(written.default),
        allowed_tolerations=_raw(written.whitelist or ()),
    )


def _raw(tolerations: tuple[_Toleration, ...]) -> tuple[JsonObject, ...]:
    found: tuple[JsonObject, ...] = tuple(msgspec.to_builtins(each) for each in tolerations)
    return found


# --- EventRateLimit and ResourceQuota ---------------------------------------------------------------------------------


class _EventLimit(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    type: str = ""
    qps: int = 0
    burst: int = 0
    cache_size: int = 0


class _EventLimits(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    api_version: str
    kind: str
    limits: tuple[_EventLimit, ...] | None = ()


def _event_limits(place: _Place, before: Configured) -> Configured:
    _require(place, "Configuration", "eventratelimit.admission.k8s.io/v1alpha1")
    limits = typed(place.document, _EventLimits, _ADVICE, place.at).limits or ()
    if not limits:
        raise place.wrong(path("limits"), "Invalid value: must not be empty")
    for index, each in enumerate(limits):
        if each.type not in EVENT_LIMITS:
            known = ", ".join(EVENT_LIMITS)
            raise place.wrong(path("limits", index, "type"), f"Unsupported value: {each.type}: there are {known}")
        for field, value in (("burst", each.burst), ("qps", each.qps)):
            if value <= 0:
                raise place.wrong(path("limits", index, field), f"Invalid value: {value}: must be positive")
        if each.cache_size < 0:
            raise place.wrong(
                path("limits", index, "cacheSize"), f"Invalid value: {each.cache_size}: must not be negative"
            )
    made = tuple(EventLimit(each.type, each.qps, each.burst, each.cache_size or 4096) for each in limits)
    return _with(before, event_limits=made)


class _Limited(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    resource: str = ""
    api_group: str | None = ""
    match_contains: tuple[str, ...] | None = ()
    match_scopes: tuple[dict[str, object], ...] | None = ()


class _Quotas(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    api_version: str
    kind: str
    limited_resources: tuple[_Limited, ...] | None = ()


def _quotas(place: _Place, before: Configured) -> Configured:
    _require(place, "ResourceQuotaConfiguration", _VERSION, "resourcequota.admission.k8s.io/v1beta1")
    limited = typed(place.document, _Quotas, _ADVICE, place.at).limited_resources or ()
    for index, each in enumerate(limited):
        at = path("limitedResources", index)
        if not each.resource:
            raise place.wrong(at / "resource", "Required value")
        if each.match_scopes:
            raise place.wrong(at / "matchScopes", "this server does not limit by scopes; leave it out")
    made = tuple(QuotaLimit(each.api_group or "", each.resource, each.match_contains or ()) for each in limited)
    return _with(before, quota_limits=made)


def _with(before: Configured, **changes: object) -> Configured:
    return structs.replace(before, plugins=structs.replace(before.plugins, **changes))


_READERS: Mapping[str, Reader] = {
    "PodSecurity": _pod_security,
    "PodNodeSelector": _node_selectors,
    "PodTolerationRestriction": _tolerations,
    "EventRateLimit": _event_limits,
    "ResourceQuota": _quotas,
}
