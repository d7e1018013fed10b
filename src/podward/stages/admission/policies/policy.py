"""Admission policies and their bindings, read and compiled once.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/plugin/policy. A policy says nothing without a
binding. The expressions of a policy that is stored compile, as one that doesn't is refused; where one does not compile
all the same, it fails like one that cannot be evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema.cel.admission import BOOL, OBJECT, PATCHES, STRING, STRING_OR_NULL, AdmissionScope
from podward.schema.cel.environment import Expression, Uncompilable
from podward.schema.cel.source import mentions
from podward.schema.validation.raw import pointer, text, texts
from podward.stages.admission.policies.constraints import Constraints

_PATCHES = ("jsonPatch", "applyConfiguration")
Compiled = Expression | Uncompilable


class Validation(Struct, frozen=True):
    """An expression that must be true, and what is said where it is not."""

    text: str
    expression: Compiled
    message: str
    told: Compiled | None
    reason: str


class Mutation(Struct, frozen=True):
    """An expression that makes an apply configuration, or a JSON patch."""

    text: str
    expression: Compiled
    is_patch: bool


class Parameters(Struct, frozen=True):
    """Which objects are a binding's parameters. `required`: the request is refused where there are none."""

    name: str
    namespace: str
    selector: JsonObject | None
    required: bool


class Binding(Struct, frozen=True):
    """What brings a policy into effect."""

    name: str
    policy: str
    constraints: Constraints | None
    actions: tuple[str, ...]
    parameters: Parameters | None


class Policy(Struct, frozen=True):
    """A policy with its expressions. `param_kind` are the apiVersion and the kind of its parameters.

    `asks`: whether some expression asks the authorizer. `reinvoked`: whether it is asked again after other changes.
    """

    name: str
    constraints: Constraints
    conditions: tuple[tuple[str, Compiled], ...]
    validations: tuple[Validation, ...]
    annotations: tuple[tuple[str, str, Compiled], ...]
    ignores_failures: bool
    param_kind: tuple[str, str] | None
    asks: bool
    mutations: tuple[Mutation, ...] = ()
    reinvoked: bool = False


def policy_of(obj: JsonObject) -> Policy:
    """A stored policy, compiled."""
    spec = member(obj, "spec")
    kind, variables = spec.get("paramKind"), objects(spec, "variables")
    mutations = objects(spec, "mutations")
    scope = AdmissionScope(params=isinstance(kind, dict), composed=bool(variables or mutations))
    alone = AdmissionScope(params=isinstance(kind, dict))
    for variable in variables:
        scope.define(text(variable, "name"), text(variable, "expression"))
    return Policy(
        text(member(obj, "metadata"), "name"),
        Constraints.read(member(spec, "matchConstraints")),
        tuple(
            (text(each, "name"), alone.compile(text(each, "expression").strip(), BOOL))
            for each in objects(spec, "matchConditions")
        ),
        tuple(_validation(each, scope) for each in objects(spec, "validations")),
        tuple(_annotation(each, scope) for each in objects(spec, "auditAnnotations")),
        pointer(spec, "failurePolicy") == "Ignore",
        (text(kind, "apiVersion"), text(kind, "kind")) if isinstance(kind, dict) else None,
        any(mentions(written, "authorizer") for written in _written(spec)),
        tuple(_mutation(each, scope) for each in mutations),
        text(spec, "reinvocationPolicy") == "IfNeeded",
    )


def _written(spec: JsonObject) -> list[str]:
    """Every expression of a policy."""
    lists = ("matchConditions", "variables", "validations", "auditAnnotations")
    found = [each for name in lists for each in objects(spec, name)]
    found += [member(each, name) for each in objects(spec, "mutations") for name in _PATCHES]
    return [text(each, name) for each in found for name in ("expression", "valueExpression")]


def _mutation(of: JsonObject, scope: AdmissionScope) -> Mutation:
    is_patch = text(of, "patchType") == "JSONPatch"
    written = text(member(of, "jsonPatch" if is_patch else "applyConfiguration"), "expression")
    return Mutation(written, scope.compile(written, PATCHES if is_patch else OBJECT), is_patch)


def _validation(of: JsonObject, scope: AdmissionScope) -> Validation:
    written, told = text(of, "expression"), text(of, "messageExpression")
    return Validation(
        written,
        scope.compile(written, BOOL),
        text(of, "message").strip(),
        scope.compile(told, STRING, authorizer=False) if told.strip() else None,
        pointer(of, "reason") or "Invalid",
    )


def _annotation(of: JsonObject, scope: AdmissionScope) -> tuple[str, str, Compiled]:
    written = text(of, "valueExpression").strip()
    return text(of, "key"), written, scope.compile(written, STRING_OR_NULL)


def bindings_of(stored: Iterable[JsonObject]) -> dict[str, tuple[Binding, ...]]:
    """The bindings of each policy, by its name."""
    found: dict[str, list[Binding]] = {}
    for obj in stored:
        binding = _binding(obj)
        found.setdefault(binding.policy, []).append(binding)
    return {policy: tuple(sorted(each, key=lambda one: one.name)) for policy, each in found.items()}


def _binding(obj: JsonObject) -> Binding:
    spec = member(obj, "spec")
    matched, reference = spec.get("matchResources"), spec.get("paramRef")
    return Binding(
        text(member(obj, "metadata"), "name"),
        text(spec, "policyName"),
        Constraints.read(matched) if isinstance(matched, dict) else None,
        tuple(texts(spec, "validationActions")),
        _parameters(reference) if isinstance(reference, dict) else None,
    )


def _parameters(of: JsonObject) -> Parameters:
    selector = of.get("selector")
    return Parameters(
        text(of, "name"),
        text(of, "namespace"),
        selector if isinstance(selector, dict) else None,
        pointer(of, "parameterNotFoundAction") == "Deny",
    )
