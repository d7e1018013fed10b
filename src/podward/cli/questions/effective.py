"""`podward batch effective`: what a kubelet decides about one container of one Pod."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from podward.api.core import Container, Pod, every_container
from podward.api.cri import IDMapping
from podward.api.effective import EffectiveContext, ImageUser, Place
from podward.api.json_value import JsonObject
from podward.api.node import Node
from podward.cli.questions.preparing import prepared
from podward.decision import Outcome
from podward.documents.document import Document
from podward.errors import InputError
from podward.path import Path, path
from podward.policy.kubelet import apparmor, sysctls, user
from podward.render import effective as rendering
from podward.schema import strict
from podward.schema.view import pod_view
from podward.stages import cri, effective

PINNED_USERNS = IDMapping(0, 65536, 65536)
"""The range that answers are given for: a batch question has no node that could remember one."""


class EffectiveQuestion(Struct, frozen=True, rename="camel"):
    """`podward batch effective`: a Pod, the name of one of its containers, and what the node knows.

    `image` is the user as CRI's ImageStatus reports it. `raw_image_user` is either the image config's `User`, to be
    used instead, or true: `image` is then taken as it is, without the kubelet's choice between uid and name.
    `prepare`: `none` takes the Pod as it is, `defaults` applies API defaulting, `create` also what the registry does.
    """

    pod: msgspec.Raw
    container: str
    image: ImageUser = ImageUser()
    prepare: str = "none"
    seccomp_default: bool = False
    userns_supported: bool = True
    extra_groups: tuple[int, ...] = ()
    raw_image_user: str | bool | None = None


def answer(line: bytes) -> rendering.EffectiveAnswer:
    """The kubelet's decisions about one container of one Pod."""
    question = msgspec.json.decode(line, type=EffectiveQuestion)
    pod = _prepared(question)
    name, index, container = _find(pod, question.container)
    place = Place("pod", Path(), path("spec", name, index))
    node = Node(
        capabilities=0,
        seccomp_default=question.seccomp_default,
        userns_supported=question.userns_supported,
    )
    image = _image_user(question)
    facts = effective.EffectiveFacts(
        pod=pod,
        container=container,
        place=place,
        image=image,
        image_name=container.image or "",
        node=node,
        userns=PINNED_USERNS,
        extra_groups=question.extra_groups,
    )
    merged = effective.merged_context(facts)
    made = effective.synthesize(facts, merged)
    outcome = Outcome(made.fold(EffectiveContext), made)
    sandbox_facts = cri.SandboxFacts(
        pod=pod, place=place, node=node, userns=PINNED_USERNS, extra_groups=question.extra_groups
    )
    sandbox = cri.decide_sandbox_context(sandbox_facts)
    return rendering.EffectiveAnswer(
        image_user=image,
        effective=rendering.security_context(merged.value),
        run_as_non_root_error=rendering.first_refusal(effective.verify_non_root(facts, merged)),
        linux=None if made.refused else cri.context_of(cri.decide_context(outcome)),
        linux_error=rendering.first_refusal(made),
        sandbox=None if sandbox.refused else cri.sandbox_context_of(sandbox),
        sandbox_error=rendering.first_refusal(sandbox),
        sysctls=None if sandbox.refused else sysctls.as_written(pod.spec),
        sysctl_admit=rendering.sysctl_verdict(sysctls.admit(pod.spec, place), sysctls.REASON),
        app_armor_admit_error=rendering.first_refusal(apparmor.admit(pod, place)),
    )


def _prepared(question: EffectiveQuestion) -> Pod:
    raw: JsonObject = msgspec.json.decode(question.pod, type=dict)
    _require_types(raw)
    return pod_view(prepared(raw, question.prepare))


def _require_types(raw: JsonObject) -> None:
    """Raise InputError for the first value of a wrong type; fields that nobody knows are nobody's business here."""
    whole = Document("pod", {**raw, "apiVersion": "v1", "kind": "Pod"})
    wrong = next((mistake for mistake in strict.mistakes(whole) if not mistake.unknown), None)
    if wrong is not None:
        raise InputError(wrong.what, where=f"pod.{wrong.path}")


def _find(pod: Pod, name: str) -> tuple[str, int, Container]:
    for row in every_container(pod.spec):
        if row[2].name == name:
            return row
    raise InputError(f"the Pod has no container named {name!r}", where="container")


def _image_user(question: EffectiveQuestion) -> ImageUser:
    if isinstance(question.raw_image_user, str):
        return user.of_image(question.raw_image_user)
    return question.image if question.raw_image_user else user.image_user(question.image)
