"""`podward batch scc`: what OpenShift's SCC admission makes of one Pod."""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from podward.api.admission import AdmissionRequest, Operation
from podward.api.authorization import NO_OPINION, Answer, Attributes, Authorizer, Opinion
from podward.api.caller import User
from podward.api.core import Namespace
from podward.api.json_value import JsonObject, kind_of
from podward.decision import Origin, Source
from podward.documents.document import Document
from podward.documents.raw_fields import member
from podward.errors import InputError
from podward.path import path
from podward.policy.scc.passes import SCC_ANNOTATION, SUBJECT_ANNOTATION, prepare
from podward.policy.scc.policies import Policies
from podward.schema import strict
from podward.schema.scc.defaults import defaulted
from podward.schema.scc.reading import API_VERSION, KIND, scc_view
from podward.schema.view import pod_view, typed_view
from podward.stages.admission.cluster import AdmissionFacts, InMemoryCluster
from podward.stages.admission.order import SCC_PASSES, decide
from podward.stages.admission.steps import Phase

_REMEMBERED = 32
"""For so many sets of SCCs, and of namespaces, what was made of them is remembered: lines tend to repeat them."""
_NULL = msgspec.Raw(b"null")
_EVERY_SCC = "*"
K = TypeVar("K")
T = TypeVar("T")


class Right(Struct, frozen=True):
    """An RBAC grant of `use`: to whom it is not limited by user, group or namespace, it is given."""

    scc: str | None = None
    user: str | None = None
    group: str | None = None
    namespace: str | None = None

    def covers(self, wanted: Attributes) -> bool:
        """Whether it grants this use of an SCC."""
        user = wanted.user
        return (
            self.scc in (_EVERY_SCC, wanted.name)
            and (not self.namespace or self.namespace == wanted.namespace)
            and (not self.user or self.user == user.username)
            and (not self.group or self.group in user.groups)
        )


class Caller(Struct, frozen=True):
    """Who asks; null and absent are empty."""

    username: str | None = None
    groups: tuple[str, ...] | None = None


class SccQuestion(Struct, frozen=True, rename="camel"):
    """`podward batch scc`: a request and the state of the cluster.

    `authorized` are RBAC's grants of `use`: the name of an SCC or `*`, given to everybody, or a `Right`.
    `validate_only` leaves out the mutating pass, as if another webhook had changed the Pod after it. `namespace_name`
    says where the Pod is to be if `namespace` is null, that is: does not exist. SCCs are taken as stored, unless
    `applySCCDefaults` demands what is done when they are written. Null and absent are the same everywhere.
    """

    pod: msgspec.Raw
    sccs: msgspec.Raw
    namespace: msgspec.Raw = _NULL
    user: Caller | None = None
    authorized: tuple[str | Right, ...] | None = None
    operation: Literal["CREATE", "UPDATE"] | None = None
    old_pod: msgspec.Raw = _NULL
    subresource: str | None = None
    validate_only: bool | None = None
    namespace_name: str | None = None
    apply_scc_defaults: bool | None = msgspec.field(default=None, name="applySCCDefaults")


class SccAnswer(Struct, frozen=True, rename="camel"):
    """The verdict: the Pod as stored with the SCC and the subject that its annotations name, or who refused and why."""

    allowed: bool
    scc: str
    warnings: tuple[str, ...]
    subject_type: str | UnsetType = UNSET
    stage: str | UnsetType = UNSET
    error: str | UnsetType = UNSET
    pod: JsonObject | UnsetType = UNSET


class Authorized:
    """RBAC's answers to the use of SCCs, from a question's list."""

    __slots__ = ("_rights",)

    def __init__(self, authorized: tuple[str | Right, ...]) -> None:
        self._rights = [
            (Right(item) if isinstance(item, str) else item, Source(Origin.POLICY, "authorized", path(place)))
            for place, item in enumerate(authorized)
        ]

    def authorize(self, wanted: Attributes) -> Answer:
        """The first grant that covers it."""
        for right, source in self._rights:
            if right.covers(wanted):
                return Answer(Opinion.ALLOW, source)
        return NO_OPINION


class _Asked(InMemoryCluster):
    """The cluster of one question; its SCCs have been prepared for others that have the same."""

    def __init__(self, policies: Policies, authorizer: Authorizer, namespaces: dict[str, Namespace]) -> None:
        super().__init__(None, authorizer, namespaces)
        self._ready = policies

    def policies(self) -> Policies:
        """The SCCs of the question."""
        return self._ready


def answer(line: bytes) -> SccAnswer:
    """Both passes on the Pod, or the validating one alone."""
    question = msgspec.json.decode(line, type=SccQuestion)
    passes = [step for step in SCC_PASSES if step.phase is Phase.VALIDATING or not question.validate_only]
    admitted = decide(_facts(question, _policies(question)), passes)
    if not admitted.refused:
        return _allowed(admitted.stored)
    stage = "validate" if len(admitted.outcomes) == len(passes) else "admit"
    sentences = [violation.reason for violation in admitted.decision.violations]
    return SccAnswer(allowed=False, scc="", warnings=(), stage=stage, error=" ".join(sentences))


def _allowed(raw: JsonObject) -> SccAnswer:
    annotations = member(member(raw, "metadata"), "annotations")
    subject = annotations.get(SUBJECT_ANNOTATION)
    return SccAnswer(
        allowed=True,
        scc=str(annotations.get(SCC_ANNOTATION) or ""),
        warnings=(),
        subject_type=str(subject) if subject else UNSET,
        pod=raw,
    )


def _facts(question: SccQuestion, policies: Policies) -> AdmissionFacts:
    caller = question.user or Caller()
    raw = _object(question.pod, "v1", "Pod", "pod")
    namespace = _namespace(question)
    named = namespace.metadata.name or "" if namespace is not None else ""
    name = question.namespace_name or named or pod_view(raw).metadata.namespace or ""
    there = {name: namespace} if namespace is not None and name == named else {}  # else the Pod's is another one
    operation = Operation(question.operation or "CREATE")
    request = AdmissionRequest(
        operation,
        raw,
        User(caller.username or "", caller.groups or ()),
        name,
        old_object=_object(question.old_pod, "v1", "Pod", "oldPod") if operation is Operation.UPDATE else None,
        subresource=question.subresource or "",
    )
    return AdmissionFacts(request, _Asked(policies, Authorized(question.authorized or ()), there))


_namespaces: dict[bytes, Namespace | None] = {}
_prepared: dict[tuple[bytes, bool], Policies] = {}


def _namespace(question: SccQuestion) -> Namespace | None:
    key = bytes(question.namespace)
    if key not in _namespaces:
        view = None
        if key != b"null":
            view = typed_view(_object(question.namespace, "v1", "Namespace", "namespace"), Namespace, "Namespace")
        _remember(_namespaces, key, view)
    return _namespaces[key]


def _policies(question: SccQuestion) -> Policies:
    key = (bytes(question.sccs), bool(question.apply_scc_defaults))
    found = _prepared.get(key)
    if found is None:
        items = msgspec.json.decode(question.sccs, type=list[msgspec.Raw])
        raws = [_object(item, API_VERSION, KIND, f"sccs[{place}]") for place, item in enumerate(items)]
        found = prepare(scc_view(defaulted(raw) if question.apply_scc_defaults else raw) for raw in raws)
        _remember(_prepared, key, found)
    return found


def _remember(memory: dict[K, T], key: K, value: T) -> None:
    if len(memory) >= _REMEMBERED:
        del memory[next(iter(memory))]
    memory[key] = value


def _object(text: msgspec.Raw, api_version: str, kind: str, where: str) -> JsonObject:
    """The object; unknown fields are nobody's business here, values of a wrong type are refused."""
    raw = msgspec.json.decode(text)
    if not isinstance(raw, dict):
        raise InputError(f"expected an object, found {kind_of(raw)}", where=where)
    whole = Document(where, {**raw, "apiVersion": api_version, "kind": kind})
    wrong = next((mistake for mistake in strict.mistakes(whole) if not mistake.unknown), None)
    if wrong is not None:
        raise InputError(wrong.what, where=f"{where}.{wrong.path}")
    return raw
