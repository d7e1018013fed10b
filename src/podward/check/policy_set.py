"""What workloads are held to: the policies of a check, prepared once for many workloads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.caller import User
from podward.api.core import Namespace, Pod
from podward.policy.pss.labels import Configuration, LabelledPolicy, policy_unless_labelled
from podward.policy.pss.standard import Level, Standard
from podward.policy.scc.namespace import of_openshift
from podward.policy.scc.new_namespace import with_ranges
from podward.schema.workload import DEFAULT_NAMESPACE, PodSource
from podward.stages.admission.cluster import NOBODY

if TYPE_CHECKING:  # most checks ask about no SCC, and these take longer to import than to use
    from podward.api.authorization import Authorizer
    from podward.policy.scc.policies import Policies


_CONFIGURATION = Configuration()


class SccTerms(Struct, frozen=True):
    """SCCs and who may use them; `caller` tells who creates the Pods of a kind of workload.

    `unguarded` are those namespaces that SCCs may leave alone because of their names; None for all that OpenShift has.
    """

    policies: Policies
    authorizer: Authorizer
    caller: Callable[[str], User]
    unguarded: frozenset[str] | None = None


class _Known(Struct, frozen=True):
    """A namespace as it is written, and what was made of that: with ranges, and the policy of its labels."""

    written: Namespace | None
    namespace: Namespace
    policy: LabelledPolicy


class PolicySet:
    """The policies: a namespace's own labels, `standard` where they say nothing, and SCCs if there are any.

    For admission this is the cluster (`podward.stages.admission.cluster.Cluster`). Every namespace exists in it, with
    ranges of ids, and every service account. `default_namespace` is that of objects which name none. `csi_profiles` are
    the labels of CSIDrivers; they count on OpenShift, which a namespace with annotations or labels of its is on.
    """

    __slots__ = ("_csi_profiles", "_namespaces", "_read", "default_namespace", "scc", "standard")

    def __init__(
        self,
        namespaces: Mapping[str, Namespace],
        standard: Standard,
        scc: SccTerms | None = None,
        default_namespace: str = "default",
        csi_profiles: Mapping[str, str] | None = None,
    ) -> None:
        self._namespaces = namespaces
        self._csi_profiles = csi_profiles or {}
        self._read: dict[str, _Known] = {}
        self.standard = standard
        self.scc = scc
        self.default_namespace = default_namespace

    def namespace_of(self, source: PodSource) -> str:
        """The name of the namespace that the workload goes to."""
        if self.default_namespace != DEFAULT_NAMESPACE and not source.says_namespace:
            return self.default_namespace
        return source.view.metadata.namespace or DEFAULT_NAMESPACE

    def names_namespace(self, source: PodSource) -> bool:
        """Whether the workload names a namespace which, for its name, SCCs may leave alone."""
        known = self.scc.unguarded if self.scc is not None else None
        return source.says_namespace and (known is None or self.namespace_of(source) in known)

    def pod_security(self, namespace: str) -> LabelledPolicy:
        """What the namespace enforces, audits and warns about."""
        return self._known(namespace).policy

    def namespace(self, name: str) -> Namespace:
        """The namespace as policies read it: one without ranges gets those of a new one."""
        return self._known(name).namespace

    def _known(self, name: str) -> _Known:
        written = self._namespaces.get(name)
        known = self._read.get(name)
        if known is None or known.written is not written:
            labels = written.metadata.labels if written is not None else None
            policy = policy_unless_labelled(labels, self.standard)
            known = self._read[name] = _Known(written, with_ranges(name, written), policy)
        return known

    def policies(self) -> Policies | None:
        """The SCCs; None where nobody asks about them."""
        return self.scc.policies if self.scc is not None else None

    @property
    def authorizer(self) -> Authorizer:
        """Who may use which SCC."""
        return self.scc.authorizer if self.scc is not None else NOBODY

    @property
    def configuration(self) -> Configuration:
        """Pod Security's: nobody is exempt."""
        return _CONFIGURATION

    def pods(self, namespace: str) -> Iterable[Pod]:  # noqa: ARG002  # it holds none
        """No Pods are there yet."""
        return ()

    def has_service_account(self, namespace: str, name: str) -> bool:  # noqa: ARG002  # whichever it is
        """Service accounts are taken for granted: no file need say that they are there."""
        return True

    def csi_profiles(self, namespace: str) -> Mapping[str, str] | None:
        """What the drivers' labels say; None where nothing says that the namespace is OpenShift's."""
        if self.scc is not None:
            return self._csi_profiles
        written = self._namespaces.get(namespace)
        said = (written.metadata.annotations, written.metadata.labels) if written is not None else ()
        return self._csi_profiles if any(of_openshift(key) for each in said for key in each or ()) else None


UNHELD = Standard(Level.PRIVILEGED)
"""No standard at all: where only SCCs are asked about."""
