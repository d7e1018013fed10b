"""What admission looks up in a cluster, and the request that it is asked about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from podward.api.admission import AdmissionRequest

if TYPE_CHECKING:  # `podward run` asks for no policy, and these take longer to import than to use
    from podward.api.authorization import Answer, Attributes, Authorizer
    from podward.api.core import Namespace, Pod
    from podward.api.scc import SecurityContextConstraints
    from podward.policy.pss.labels import Configuration, LabelledPolicy
    from podward.policy.scc.policies import LatestPolicies, Policies


class Cluster(Protocol):
    """The state of a cluster, which may be another one at every request: what is looked up holds for this one only.

    Whatever an implementation remembers is known by what it was computed from.
    """

    @property
    def authorizer(self) -> Authorizer:
        """Who may do what."""

    @property
    def configuration(self) -> Configuration:
        """Pod Security's configuration."""

    def namespace(self, name: str) -> Namespace | None:
        """The namespace; None if it does not exist."""

    def pod_security(self, namespace: str) -> LabelledPolicy:
        """What an existing namespace asks of Pods."""

    def pods(self, namespace: str) -> Iterable[Pod]:
        """The Pods that are in a namespace."""

    def policies(self) -> Policies | None:
        """The SCCs, ready to be applied; None for a cluster that has none, as plain Kubernetes."""

    def has_service_account(self, namespace: str, name: str) -> bool:
        """Whether the service account exists."""

    def csi_profiles(self, namespace: str) -> Mapping[str, str] | None:
        """The label of each CSIDriver that says where its inline volumes may be used, by the driver's name.

        None for a cluster that does not ask, as plain Kubernetes.
        """


class AdmissionFacts(Struct, frozen=True):
    """A request, and the cluster that it is sent to.

    `workload` is the kind whose Pod it is. `generated_name` is what the object is called in the end, where it is sent
    with a `generateName` alone. `says_namespace`: somebody has said that the object goes into this namespace; it is
    not only where objects go that name none.
    """

    request: AdmissionRequest
    cluster: Cluster
    workload: str = "Pod"
    generated_name: str = ""
    says_namespace: bool = False


class Nobody:
    """The authorizer of a cluster in which nobody may do anything."""

    def authorize(self, wanted: Attributes) -> Answer:  # noqa: ARG002  # whatever it is
        """No opinion."""
        from podward.api.authorization import NO_OPINION

        return NO_OPINION


NOBODY = Nobody()


class InMemoryCluster:
    """A cluster whose objects are held here; what is changed in them counts from the next request on.

    `sccs` is None for a cluster that has none. Where `service_accounts`, as (namespace, name), is None, every one
    exists: nobody has said which. `csi_profiles` is None where nobody asks about inline volumes.
    """

    def __init__(  # noqa: PLR0913  # a cluster's objects, of each kind
        self,
        sccs: Sequence[SecurityContextConstraints] | None,
        authorizer: Authorizer,
        namespaces: Mapping[str, Namespace],
        configuration: Configuration | None = None,
        service_accounts: frozenset[tuple[str, str]] | None = None,
        *,
        csi_profiles: Mapping[str, str] | None = None,
    ) -> None:
        self.sccs = sccs
        self.authorizer = authorizer
        self.namespaces = namespaces
        self.service_accounts = service_accounts
        self._configuration = configuration
        self._csi_profiles = csi_profiles
        self._policies: LatestPolicies | None = None

    @property
    def configuration(self) -> Configuration:
        """Pod Security's configuration; where nobody gave one, nothing is asked for and nobody is exempt."""
        if self._configuration is None:
            from podward.policy.pss.labels import Configuration

            self._configuration = Configuration()
        return self._configuration

    def namespace(self, name: str) -> Namespace | None:
        """The namespace; None if it does not exist."""
        return self.namespaces.get(name)

    def pod_security(self, namespace: str) -> LabelledPolicy:
        """What the namespace's labels ask of Pods, and the configuration where they say nothing."""
        from podward.policy.pss.labels import policy_of

        known = self.namespaces.get(namespace)
        return policy_of(known.metadata.labels if known is not None else None, self.configuration.defaults)

    def pods(self, namespace: str) -> Iterable[Pod]:  # noqa: ARG002  # it holds none
        """No Pods are held."""
        return ()

    def policies(self) -> Policies | None:
        """The SCCs as they are now, ready to be applied."""
        if self.sccs is None:
            return None
        if self._policies is None:
            from podward.policy.scc.policies import LatestPolicies

            self._policies = LatestPolicies()
        return self._policies.of(self.sccs)

    def has_service_account(self, namespace: str, name: str) -> bool:
        """Whether the service account is one of those, if anybody has said which there are."""
        return self.service_accounts is None or (namespace, name) in self.service_accounts

    def csi_profiles(self, namespace: str) -> Mapping[str, str] | None:  # noqa: ARG002  # the same in all
        """What the drivers' labels say, if this cluster asks."""
        return self._csi_profiles


NO_CLUSTER = InMemoryCluster(None, NOBODY, {})
"""What a request is sent to that no plugin looks at."""
