"""The policies of an OpenShift cluster, from documents: its own ones, and what is written beside them.

The default SCCs and the default RBAC are always there, as on a cluster. A written SCC is added to them, or takes the
place of the default one of its name; so do roles and bindings. Namespaces and ServiceAccounts are those that are
written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.access.objects import KINDS as RBAC_KINDS
from podward.access.objects import RoleObject
from podward.documents.document import Document
from podward.documents.raw_fields import member
from podward.errors import InputError
from podward.path import path
from podward.schema.objects import Item, objects_of, require_version
from podward.schema.strict import require, type_of
from podward.schema.workload import DEFAULT_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from podward.access.rbac import Rbac
    from podward.api.core import Namespace
    from podward.decision import Violation
    from podward.policy.scc.namespace import NamespaceSource
    from podward.schema.scc.reading import SccSource

SCC = "SecurityContextConstraints"
CSI_DRIVER = "CSIDriver"
_KINDS = frozenset((SCC, "Namespace", "ServiceAccount", *RBAC_KINDS))
_GROUPS = frozenset(("", "security.openshift.io", "authorization.openshift.io", "rbac.authorization.k8s.io"))
"""Groups that have, or once had, these kinds; elsewhere they are something else."""


_STORAGE = "storage.k8s.io"
LABELS_ADVICE = "levels are privileged, baseline and restricted; versions are latest or vMAJOR.MINOR"


class PolicyDocuments(Struct, frozen=True):
    """All policies that there are, each name once.

    `sccs` holds the default ones, or what replaces them, and then the others, in the order of the files. `own` are the
    names of those that come from files. `service_accounts` are (namespace, name). `warnings` are sentences that begin
    with file:line. `described` are the names of the namespaces that are described as a cluster has them. `csi_profiles`
    are the labels of CSIDrivers about inline volumes.
    """

    sccs: tuple[SccSource, ...]
    own: frozenset[str]
    rbac: Rbac
    namespaces: dict[str, NamespaceSource]
    service_accounts: frozenset[tuple[str, str]]
    warnings: tuple[str, ...]
    described: frozenset[str] = frozenset()
    csi_profiles: Mapping[str, str] = {}

    def scc(self, name: str) -> SccSource | None:
        """The SCC of this name."""
        return next((source for source in self.sccs if source.name == name), None)


def describes_openshift(gathered: PolicyDocuments, manifests: Iterable[Document]) -> bool:
    """Whether these policies and manifests are of an OpenShift cluster.

    They are where there is an SCC or another object of a group of OpenShift's, or a namespace with a label or an
    annotation of its own. The labels of Pod Security are every Kubernetes' own.
    """
    from podward.policy.scc.namespace import of_openshift

    if gathered.own or any(of_openshift(item.api_version) for one in manifests for item in objects_of(one)):
        return True
    metadata = [source.view.metadata for source in gathered.namespaces.values()]
    keys = (key for each in metadata for key in (*(each.labels or ()), *(each.annotations or ())))
    return any(of_openshift(key) for key in keys)


def policies_of(document: Document) -> tuple[Item, ...]:
    """The objects of the document that are policies, or say who may use them; checked field by field."""
    found = policies_among(objects_of(document))
    if found:
        require(document)
    return found


def policies_among(items: Iterable[Item]) -> tuple[Item, ...]:
    """The objects among these that are policies. Raises InputError for one of a version that its kind does not have."""
    found = []
    for item in items:
        if item.kind in _KINDS:
            require_version(item, _GROUPS)
            if type_of(item.api_version, item.kind) is not None:
                found.append(item)
        elif item.kind == CSI_DRIVER and item.group == _STORAGE:
            found.append(item)
    return tuple(found)


def require_sound(item: Item) -> None:
    """Raise InputError for a policy that a cluster would not store."""
    if item.kind == SCC:
        from podward.schema.scc.reading import scc_source

        scc_source(item)
    elif item.kind in RBAC_KINDS:
        from podward.access.reading import read

        read(item)
    elif item.kind == "Namespace":
        from podward.policy.scc.namespace import namespace_source

        namespace_source(item)


def label_faults(item: Item) -> tuple[Violation, ...]:
    """The labels of a Namespace that name no standard: Pod Security refuses to store it, and heeds it where it is."""
    if item.kind != "Namespace":
        return ()
    from podward.policy.pss.labels import policy_of
    from podward.policy.scc.namespace import namespace_source

    return policy_of(namespace_source(item).view.metadata.labels).errors


def require_labels(item: Item) -> None:
    """Raise InputError for a Namespace that has such labels."""
    for fault in label_faults(item):
        raise InputError(f"{fault.path}: {fault.reason}", where=item.where(fault.path), advice=LABELS_ADVICE)


def namespaces_of(items: Iterable[Item]) -> dict[str, Namespace]:
    """The Namespaces among these objects, by their name."""
    from podward.policy.scc.namespace import namespace_source

    return {item.name: namespace_source(item).view for item in items if item.kind == "Namespace"}


def csi_profiles_of(items: Iterable[Item]) -> dict[str, str]:
    """What the label of each CSIDriver among these objects says about its inline volumes, by the driver's name."""
    found: dict[str, str] = {}
    for item in items:
        if item.kind == CSI_DRIVER:
            from podward.policy.pss.inline_volumes import PROFILE

            profile = member(member(item.raw, "metadata"), "labels").get(PROFILE)
            if isinstance(profile, str):
                found[item.name] = profile
    return found


def rbac_of(written: Iterable[Item]) -> Rbac:
    """The authorizer that the default RBAC and the roles and bindings among these objects make together."""
    from podward.access.rbac import Rbac
    from podward.access.reading import read
    from podward.policy.scc import default_set

    raws = default_set.default_rbac()
    in_force = {item.identity: item for raw in raws for item in objects_of(Document(default_set.RBAC_NAME, raw))}
    in_force |= {item.identity: item for item in written if item.kind in RBAC_KINDS}
    found = [read(item) for item in in_force.values()]
    return Rbac(
        [each for each in found if isinstance(each, RoleObject)],
        [each for each in found if not isinstance(each, RoleObject)],
    )


def in_force(items: Iterable[Item]) -> PolicyDocuments:
    """The policies that these objects, each name once, and the default ones make together.

    Raises InputError for what a cluster would not store.
    """
    from podward.policy.scc.documents import sccs_in_force
    from podward.policy.scc.namespace import namespace_source
    from podward.schema.scc.reading import scc_source, warnings

    every = tuple(items)
    own = {item.name: scc_source(item) for item in every if item.kind == SCC}
    return PolicyDocuments(
        sccs=sccs_in_force(own.values()),
        own=frozenset(own),
        rbac=rbac_of(every),
        namespaces={item.name: namespace_source(item) for item in every if item.kind == "Namespace"},
        service_accounts=frozenset(
            (item.namespace or DEFAULT_NAMESPACE, item.name) for item in every if item.kind == "ServiceAccount"
        ),
        warnings=tuple(warning for source in own.values() for warning in warnings(source)),
        csi_profiles=csi_profiles_of(every),
    )


def each_once(items: Iterable[Item]) -> list[Item]:
    """The objects, each once. Raises InputError for two different ones of one name, and for one without a name."""
    found: dict[tuple[str, str, str], Item] = {}
    for item in items:
        if not item.name:
            place = path("metadata", "name")
            raise InputError(f"{place}: Required value: a {item.kind} is known by its name", where=item.where(place))
        earlier = found.setdefault(item.identity, item)
        if earlier.raw != item.raw:
            place = path("metadata", "name")
            raise InputError(
                f'a second {item.kind} "{item.name}": the first one is at {earlier.where(place)}',
                where=item.where(place),
                advice="give each its own name, or leave one out",
            )
    return list(found.values())
