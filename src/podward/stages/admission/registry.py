"""The registry's own steps, before, between and after the plugins: defaulting, names, PrepareForCreate, validation.

An update of `ephemeralcontainers` has steps of its own (Kubernetes, pkg/registry/core/pod/strategy.go,
podEphemeralContainersStrategy): PrepareForUpdate keeps what is stored, but for the ephemeral containers.
"""

from __future__ import annotations

from podward.api.json_value import Json
from podward.decision import Assignment, Decision, Origin, Source, assign, refuse
from podward.documents.raw_fields import member
from podward.path import Key, Path, path
from podward.schema import defaulting
from podward.schema.validation import pod as validation
from podward.stages.admission.steps import NOTHING, Asked, Outcome, adds_ephemeral_containers, creates_pod

REQUEST = Source(Origin.RULE, "API server, create")
"""Who gives a Pod the namespace of the request, and a name."""
_UPDATE = Source(Origin.RULE, "API server, update")
_EPHEMERAL = path("spec", "ephemeralContainers")
_ANNOTATIONS = path("metadata", "annotations")
_VALIDATION = Source(Origin.RULE, "API server, validation")


def defaulted(asked: Asked) -> Outcome:
    """What is unset gets its default, and the object the namespace of the request."""
    return Outcome(defaulting.decide_defaults(asked.raw) + _placed(asked))


def _placed(asked: Asked) -> Decision:
    namespace = asked.facts.request.namespace
    if not namespace or member(asked.raw, "metadata").get("namespace") == namespace:
        return Decision()
    return assign(path("metadata", "namespace"), namespace, "the request's namespace", REQUEST)


def prepared(asked: Asked) -> Outcome:
    """A name for a Pod that has none, and PrepareForCreate: after the mutating plugins, which see no such name."""
    return Outcome(_named(asked) + defaulting.decide_creation(asked.raw))


def _named(asked: Asked) -> Decision:
    metadata, name = member(asked.raw, "metadata"), asked.facts.generated_name
    if metadata.get("name") or not metadata.get("generateName") or not name:
        return Decision()
    return assign(path("metadata", "name"), name, "made from generateName", REQUEST)


def kept(asked: Asked) -> Outcome:
    """PrepareForUpdate of ephemeral containers: annotations stay as they were, whatever a plugin has noted there."""
    old = member(member(asked.facts.request.old_object or {}, "metadata"), "annotations")
    new = member(member(asked.raw, "metadata"), "annotations")
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return Outcome(
        Decision(
            tuple([Assignment(_ANNOTATIONS / Key(name), _text(old.get(name)), "stays", _UPDATE) for name in changed])
        )
    )


def _text(value: Json) -> str | None:
    return None if value is None else str(value)


def validated(asked: Asked) -> Outcome:
    """Everything that is wrong with a new Pod, or with one that gets ephemeral containers. Another one is refused."""
    request = asked.facts.request
    adding = adds_ephemeral_containers(request)
    if not creates_pod(request) and not adding:
        what = f"{request.operation.value} of {request.resource}"
        why = f"{what}{f'/{request.subresource}' if request.subresource else ''} cannot be validated here"
        return Outcome(refuse(Path(), None, why, _VALIDATION))
    found = validation.validate(asked.pod, asked.raw, asked.facts.workload).violations
    wrong = tuple([each for each in found if each.path != _EPHEMERAL]) if adding else found  # not when it is created
    return Outcome(Decision((), wrong), invalid=True) if wrong else NOTHING
