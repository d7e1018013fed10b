"""The registry's own steps, before, between and after the plugins: defaulting, names, PrepareForCreate, validation."""

from __future__ import annotations

from podward.decision import Decision, Origin, Source, assign, refuse
from podward.documents.raw_fields import member
from podward.path import Path, path
from podward.schema import defaulting
from podward.schema.validation import pod as validation
from podward.stages.admission.steps import NOTHING, Asked, Outcome, creates_pod

REQUEST = Source(Origin.RULE, "API server, create")
"""Who gives a Pod the namespace of the request, and a name."""
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


def validated(asked: Asked) -> Outcome:
    """Everything that is wrong with a new Pod. What cannot be validated here is refused."""
    request = asked.facts.request
    if not creates_pod(request):
        what = f"{request.operation.value} of {request.resource}"
        why = f"{what}{f'/{request.subresource}' if request.subresource else ''} cannot be validated here"
        return Outcome(refuse(Path(), None, why, _VALIDATION))
    wrong = validation.validate(asked.pod, asked.raw, asked.facts.workload)
    return Outcome(Decision((), wrong.violations), invalid=True) if wrong.refused else NOTHING
