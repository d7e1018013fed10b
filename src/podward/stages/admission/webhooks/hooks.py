"""The webhooks of stored configurations, read once.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/configuration and pkg/admission/plugin/webhook/accessors.go.
They are asked in the order of their configurations' names, then as they stand.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.api.webhook_client import WebhookClient
from podward.documents.raw_fields import member, objects
from podward.schema.cel.admission import BOOL, AdmissionScope
from podward.schema.cel.environment import Expression, Uncompilable
from podward.schema.cel.source import mentions
from podward.schema.strategies.selectors import is_empty, is_selector
from podward.schema.validation.raw import pointer, text, texts


class Rule(Struct, frozen=True):
    """Which requests a webhook is asked about."""

    operations: frozenset[str]
    groups: frozenset[str]
    versions: frozenset[str]
    resources: tuple[tuple[str, str], ...]
    scope: str = "*"

    @classmethod
    def read(cls, rule: JsonObject) -> Rule:
        """A rule of a configuration."""
        resources: list[tuple[str, str]] = []
        for written in texts(rule, "resources"):
            resource, _, subresource = written.partition("/")
            resources.append((resource, subresource))
        return cls(
            frozenset(texts(rule, "operations")),
            frozenset(texts(rule, "apiGroups")),
            frozenset(texts(rule, "apiVersions")),
            tuple(resources),
            pointer(rule, "scope") or "*",
        )


class Hook:
    """One webhook of a configuration."""

    def __init__(self, configuration: str, webhook: JsonObject, uid: str) -> None:
        self.configuration = configuration
        self.uid = uid
        self.name = text(webhook, "name")
        self.rules = tuple(Rule.read(rule) for rule in objects(webhook, "rules"))
        self.equivalent = pointer(webhook, "matchPolicy") == "Equivalent"
        self.namespaces = _selector(webhook, "namespaceSelector")
        self.objects = _selector(webhook, "objectSelector")
        self._conditions = tuple(objects(webhook, "matchConditions"))
        self.ignores_failures = pointer(webhook, "failurePolicy") == "Ignore"
        self.side_effects = pointer(webhook, "sideEffects")
        seconds = webhook.get("timeoutSeconds")
        self.timeout = seconds if isinstance(seconds, int) else None
        self.reinvoked = pointer(webhook, "reinvocationPolicy") == "IfNeeded"
        self.review_versions = tuple(texts(webhook, "admissionReviewVersions"))
        self._config = member(webhook, "clientConfig")

    @cached_property
    def client(self) -> WebhookClient:
        """Where it is."""
        return WebhookClient.read(self._config)

    @cached_property
    def conditions(self) -> tuple[tuple[str, Expression | Uncompilable], ...]:
        """Names and expressions of the conditions that must hold besides."""
        scope = AdmissionScope(params=False)
        return tuple(
            (text(each, "name"), scope.compile(text(each, "expression").strip(), BOOL)) for each in self._conditions
        )

    @cached_property
    def asks(self) -> bool:
        """Whether some condition asks the authorizer."""
        return any(mentions(text(each, "expression"), "authorizer") for each in self._conditions)


def hooks_of(configurations: Iterable[JsonObject]) -> tuple[Hook, ...]:
    """The webhooks of all configurations of one kind, in the order in which they are asked."""
    found: list[Hook] = []
    for configuration in sorted(configurations, key=lambda each: text(member(each, "metadata"), "name")):
        of, counted = text(member(configuration, "metadata"), "name"), dict[str, int]()
        for webhook in objects(configuration, "webhooks"):
            name = text(webhook, "name")
            number = counted[name] = counted.get(name, -1) + 1
            found.append(Hook(of, webhook, f"{of}/{name}/{number}"))
    return tuple(found)


def _selector(webhook: JsonObject, name: str) -> JsonObject | None:
    """A selector that chooses; None where everything is chosen. One that is none at all is kept, and fails."""
    selector = member(webhook, name)
    return None if is_empty(selector) and is_selector(selector) else selector
