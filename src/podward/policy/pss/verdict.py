"""What Pod Security admission answers to a request.

Specification (k8s.io/pod-security-admission, admission/admission.go, in our words):
- Exempt namespaces, then exempt users, are let through, with the audit annotation `exempt`; so are Pods of an exempt
  runtime class, but only after the shortcuts below. An empty name is never exempt.
- A Pod in a namespace that is wholly privileged, and whose labels parse, is let through without a look at it.
- Pods: requests on the subresources of `IGNORED_SUBRESOURCES` are let through, all others are looked at, ephemeral
  containers and resizing too. An update is looked at only if a container came or went, an image changed, or an
  ephemeral container is new, told by its name.
- Workloads' templates are never refused, and are not looked at where audit and warn are privileged. Their own
  subresources are let through.
- Whoever is looked at: enforce may refuse (Pods only); audit leaves the annotation `audit-violations`; warn warns,
  unless the request is refused. The annotation `enforce-policy` names the standard that a Pod was held to; `error`
  says which labels did not parse.
- A Pod whose namespace can't be looked up is refused, a workload is not: callers who have no namespace must see to it.

The Pod that is looked at has been through defaulting and PrepareForCreate; a template has only been defaulted.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

from podward.api.core import Container, Pod
from podward.api.gotext import quote
from podward.decision import Origin, Source, Violation
from podward.path import Path
from podward.policy.pss.check import POLICY, CheckResult, PssFacts, facts_of
from podward.policy.pss.labels import Configuration, LabelledPolicy, Policy, errors_text
from podward.policy.pss.standard import Level, Standard
from podward.policy.pss.standards import evaluate_facts
from podward.policy.pss.wording import details

IGNORED_SUBRESOURCES = frozenset(("exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"))
"""Requests on these parts of a Pod can't change what it may do. What is not known here is looked at."""

EXEMPT = "exempt"
ENFORCE_POLICY = "enforce-policy"
AUDIT_VIOLATIONS = "audit-violations"
ERROR = "error"


class Request(Struct, frozen=True):
    """Who asks for what where. `policy` is the namespace's, from its labels by `policy_of`: made once for many Pods.

    `name` is the request's, where it is not the Pod's.
    """

    namespace: str
    policy: LabelledPolicy
    username: str = ""
    subresource: str = ""
    resource: str = "pods"
    name: str = ""


class Verdict(Struct, frozen=True):
    """The answer: `refusal` is the Violation that refuses the request, with the API server's sentence.

    `warnings` go to the client, `audit` is the audit annotations without their prefix (`labels.PREFIX`). `enforced`,
    `audited` and `warned` are what was found in each mode, for those who explain.
    """

    refusal: Violation | None = None
    warnings: tuple[str, ...] = ()
    audit: tuple[tuple[str, str], ...] = ()
    enforced: tuple[CheckResult, ...] = ()
    audited: tuple[CheckResult, ...] = ()
    warned: tuple[CheckResult, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether Pod Security lets the request through."""
        return self.refusal is None


class Evaluated(Struct, frozen=True):
    """What was found in each mode."""

    enforced: tuple[CheckResult, ...]
    audited: tuple[CheckResult, ...]
    warned: tuple[CheckResult, ...]


_OPEN = Standard(Level.PRIVILEGED)
_LET_THROUGH = Verdict()
_PRIVILEGED = Verdict(audit=((ENFORCE_POLICY, "privileged:latest"),))


def refusal_text(name: str, standard: Standard, results: Sequence[CheckResult], resource: str = "pods") -> str:
    """The API server's sentence for a request that these results refuse."""
    who = f"{resource} {quote(name)}" if name else resource
    return f"{who} is forbidden: violates PodSecurity {quote(str(standard))}: {details(results)}"


def warning_text(standard: Standard, results: Sequence[CheckResult]) -> str:
    """The warning for a request that these results do not refuse."""
    return f"would violate PodSecurity {quote(str(standard))}: {details(results)}"


def admit_pod(pod: Pod, request: Request, configuration: Configuration, old: Pod | None = None) -> Verdict:
    """The verdict on creating this Pod or, where `old` is given, on changing it into this one."""
    if request.subresource in IGNORED_SUBRESOURCES:
        return _LET_THROUGH
    exempt = _exempt(request, configuration)
    if exempt is not None:
        return exempt
    policy = request.policy
    if not policy.errors and policy.policy.fully_privileged:
        return _PRIVILEGED
    if old is not None and not significant(pod, old):
        return _LET_THROUGH
    return _verdict(pod, request, configuration, enforce=(policy.policy.enforce,))


def admit_workload(template: Pod, request: Request, configuration: Configuration) -> Verdict:
    """The verdict on a workload with this template, in the form of a Pod: warnings and audit annotations at most."""
    if request.subresource:
        return _LET_THROUGH
    exempt = _exempt(request, configuration)
    if exempt is not None:
        return exempt
    policy = request.policy
    if not policy.errors and policy.policy.warn.level is policy.policy.audit.level is Level.PRIVILEGED:
        return _LET_THROUGH
    return _verdict(template, request, configuration, enforce=())


def evaluated(facts: PssFacts, policy: Policy) -> Evaluated:
    """What the standards of the modes have against the Pod; none is evaluated twice."""
    enforced = _against(facts, policy.enforce)
    audited = enforced if policy.audit == policy.enforce else _against(facts, policy.audit)
    warned = audited if policy.warn == policy.audit else _against(facts, policy.warn)
    return Evaluated(enforced, audited, warned)


def significant(pod: Pod, old: Pod) -> bool:
    """Whether the change of a Pod is one that is looked at."""
    spec, before = pod.spec, old.spec
    for containers, were in (
        (spec.containers, before.containers),
        (spec.init_containers, before.init_containers),
    ):
        if len(containers or ()) != len(were or ()):
            return True
        if any(_image(new) != _image(was) for new, was in zip(containers or (), were or (), strict=True)):
            return True
    known: dict[str, Container] = {}
    for container in before.ephemeral_containers or ():
        known.setdefault(container.name, container)
    return any(
        container.name not in known or _image(known[container.name]) != _image(container)
        for container in spec.ephemeral_containers or ()
    )


def _image(container: Container) -> str:
    return container.image or ""


def _exempt(request: Request, configuration: Configuration) -> Verdict | None:
    exemptions = configuration.exemptions
    if request.namespace and request.namespace in exemptions.namespaces:
        return Verdict(audit=((EXEMPT, "namespace"),))
    if request.username and request.username in exemptions.usernames:
        return Verdict(audit=((EXEMPT, "user"),))
    return None


def _against(facts: PssFacts, standard: Standard) -> tuple[CheckResult, ...]:
    if standard.level is Level.PRIVILEGED:
        return ()
    return evaluate_facts(standard.level, standard.version, facts)


def _verdict(pod: Pod, request: Request, configuration: Configuration, enforce: tuple[Standard, ...]) -> Verdict:
    runtime_class = pod.spec.runtime_class_name
    if runtime_class and runtime_class in configuration.exemptions.runtime_classes:
        return Verdict(audit=((EXEMPT, "runtimeClass"),))
    policy, errors = request.policy.policy, request.policy.errors
    found = evaluated(facts_of(pod), policy if enforce else structs.replace(policy, enforce=_OPEN))
    enforced = str(policy.enforce)
    audit = [(ERROR, f"Failed to parse policy: {errors_text(errors)}")] if errors else []
    if enforce:
        audit.append((ENFORCE_POLICY, enforced))
    if found.audited:
        audit.append((AUDIT_VIOLATIONS, warning_text(policy.audit, found.audited)))
    refusal = None
    if found.enforced:
        text = refusal_text(request.name or pod.metadata.name or "", policy.enforce, found.enforced, request.resource)
        refusal = Violation(Path(), enforced, text, Source(Origin.POLICY, f"{POLICY} {enforced}"))
    warnings = (warning_text(policy.warn, found.warned),) if found.warned and refusal is None else ()
    return Verdict(refusal, warnings, tuple(audit), found.enforced, found.audited, found.warned)
