"""What workloads are held to: the policies of a check, prepared once for many workloads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.caller import User
from podward.api.core import Namespace, ObjectMeta
from podward.api.finding import Severity
from podward.decision import Origin, Source
from podward.path import Path
from podward.policy.pss.labels import ENFORCE, PREFIX, Policy, policy_of
from podward.policy.pss.standard import Level, Standard
from podward.schema.workload import DEFAULT_NAMESPACE, PodSource

if TYPE_CHECKING:  # most checks ask about no SCC, and these take longer to import than to use
    from podward.policy.scc.access import Uses
    from podward.policy.scc.policies import Policies
    from podward.schema.plain.known_valid import KnownValid

FIRST_RANGES: Mapping[str, str] = {
    "openshift.io/sa.scc.uid-range": "1000000000/10000",
    "openshift.io/sa.scc.supplemental-groups": "1000000000/10000",
    "openshift.io/sa.scc.mcs": "s0:c1,c0",
}
"""The ranges of a namespace that nobody described: what OpenShift gives the first one of a cluster."""


class NamedSccsOnly:
    """Everybody may use exactly the SCCs of these names: what `--scc NAME` asks for."""

    def __init__(self, names: frozenset[str], otherwise: Uses | None) -> None:
        self._names = names
        self._otherwise = otherwise

    def grant(self, user: User, scc: str, namespace: str) -> Source | None:
        """A grant where the SCC was named; else what the cluster's own authorizer says, if it counts."""
        if scc in self._names:
            return Source(Origin.POLICY, f"--scc {scc}", Path())
        return self._otherwise.grant(user, scc, namespace) if self._otherwise is not None else None


class SccTerms(Struct, frozen=True):
    """SCCs and who may use them; `caller` tells who creates the Pods of a kind of workload."""

    policies: Policies
    uses: Uses
    caller: Callable[[str], User]


class Mode(Struct, frozen=True):
    """A standard that is asked about, how much it matters, and its name as findings have it."""

    standard: Standard
    severity: Severity
    name: str


class PolicySet:
    """The policies: a namespace's own labels, `standard` where they say nothing, and SCCs if there are any.

    `default_namespace` is that of objects which name none.
    """

    __slots__ = ("_modes", "_namespaces", "_policies", "default_namespace", "scc", "standard")

    def __init__(
        self,
        namespaces: Mapping[str, Namespace],
        standard: Standard,
        scc: SccTerms | None = None,
        default_namespace: str = "default",
    ) -> None:
        self._namespaces = dict(namespaces)
        self._policies: dict[str, Policy] = {}
        self._modes: dict[str, tuple[Mode, ...]] = {}
        self.standard = standard
        self.scc = scc
        self.default_namespace = default_namespace

    def namespace_of(self, source: PodSource) -> str:
        """The name of the namespace that the workload goes to."""
        return self.namespace_for(source.view.metadata.namespace, source)

    def namespace_for(self, namespace: str | None, workload: PodSource | KnownValid) -> str:
        """The same for a workload that is created in `namespace`, as far as it says one."""
        if self.default_namespace != DEFAULT_NAMESPACE and not workload.says_namespace:
            return self.default_namespace
        return namespace or DEFAULT_NAMESPACE

    def pod_security(self, namespace: str) -> Policy:
        """What the namespace enforces, audits and warns about."""
        found = self._policies.get(namespace)
        if found is None:
            known = self._namespaces.get(namespace)
            labels = (known.metadata.labels if known is not None else None) or {}
            if ENFORCE in labels:
                found = policy_of(labels).policy
            elif any(label.startswith(PREFIX) for label in labels):
                found = policy_of(labels, Policy(enforce=self.standard)).policy
            else:
                found = Policy(enforce=self.standard)
            self._policies[namespace] = found
        return found

    def modes(self, namespace: str) -> tuple[Mode, ...]:
        """The standards to ask about, each once, in the order in which what they say counts."""
        found = self._modes.get(namespace)
        if found is None:
            found = self._modes[namespace] = _modes(self.pod_security(namespace))
        return found

    def namespace(self, name: str) -> Namespace:
        """The namespace as policies read it: one without ranges gets those of a new one."""
        known = self._namespaces.get(name)
        written = (known.metadata.annotations if known is not None else None) or {}
        if known is not None and any(annotation in written for annotation in FIRST_RANGES):
            return known
        annotations: dict[str, str | None] = {**FIRST_RANGES, **written}
        labels = known.metadata.labels if known is not None else None
        made = Namespace(ObjectMeta(name=name, labels=labels, annotations=annotations))
        self._namespaces[name] = made
        return made


def _modes(policy: Policy) -> tuple[Mode, ...]:
    asked: list[Mode] = []
    for standard, severity in (
        (policy.enforce, Severity.ERROR),
        (policy.warn, Severity.WARNING),
        (policy.audit, Severity.NOTE),
    ):
        if standard.level is not Level.PRIVILEGED and standard not in [mode.standard for mode in asked]:
            asked.append(Mode(standard, severity, str(standard)))
    return tuple(asked)


UNHELD = Standard(Level.PRIVILEGED)
"""No standard at all: where only SCCs are asked about."""
