"""The policies that a command decides by: OpenShift's own, and what files say beside them.

The default SCCs and the default RBAC are always there, as on a cluster. An SCC from a file is added to them, or takes
the place of the default one of its name; so do roles and bindings. `--scc` names SCCs: at least one document of a file
must be an SCC, and the others belong to it (more SCCs, and the RBAC, ServiceAccounts and Namespaces around them) or are
workloads, which are passed over; of a directory, whatever is something else. Documents of `-f` that are policies count
too.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from podward.access.objects import KINDS as RBAC_KINDS
from podward.cli.inputs import documents
from podward.documents.document import Document
from podward.errors import InputError
from podward.path import path
from podward.schema.objects import Item, objects_of, require_version
from podward.schema.strict import require, type_of
from podward.schema.workload import DEFAULT_NAMESPACE, TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from podward.access.rbac import Rbac
    from podward.api.core import Namespace
    from podward.policy.scc.namespace import NamespaceSource
    from podward.schema.scc.reading import SccSource

_SCC = "SecurityContextConstraints"
_KINDS = frozenset((_SCC, "Namespace", "ServiceAccount", *RBAC_KINDS))
_GROUPS = frozenset(("", "security.openshift.io", "authorization.openshift.io", "rbac.authorization.k8s.io"))
"""Groups that have, or once had, these kinds; elsewhere they are something else."""
_SCC_ADVICE = "--scc takes files of kind: SecurityContextConstraints; Pods and workloads are named apart"
_NAMESPACE_ADVICE = "--namespace takes files of kind: Namespace"


class PolicyDocuments(Struct, frozen=True):
    """All policies that there are, each name once.

    `sccs` holds the default ones, or what replaces them, and then the others, in the order of the files. `own` are the
    names of those that come from files. `service_accounts` are (namespace, name). `warnings` are sentences that begin
    with file:line. `described` are the names of the namespaces of `--namespace`.
    """

    sccs: tuple[SccSource, ...]
    own: frozenset[str]
    rbac: Rbac
    namespaces: dict[str, NamespaceSource]
    service_accounts: frozenset[tuple[str, str]]
    warnings: tuple[str, ...]
    described: frozenset[str] = frozenset()

    def scc(self, name: str) -> SccSource | None:
        """The SCC of this name."""
        return next((source for source in self.sccs if source.name == name), None)


def gather(
    scc_names: Iterable[str] = (),
    namespace_names: Iterable[str] = (),
    manifests: Iterable[Document] = (),
) -> PolicyDocuments:
    """The policies of the files and directories of `--scc`, the files of `--namespace`, and the documents of `-f`.

    Raises InputError for files that cannot be read or are not what they must be, for objects that a cluster would not
    store, and for two different objects of one kind and name.
    """
    return gather_items(scc_names, namespace_names, [item for one in manifests for item in policies_of(one)])


def gather_items(scc_names: Iterable[str], namespace_names: Iterable[str], found: Iterable[Item]) -> PolicyDocuments:
    """The same, with policies that were found in documents already."""
    items = [item for name in scc_names for item in _scc_items(name)]
    described = [item for name in namespace_names for item in _namespace_items(name)]
    gathered = policy_documents(_unique([*items, *described, *found]))
    return structs.replace(gathered, described=frozenset(item.name for item in described))


def policies_of(document: Document) -> tuple[Item, ...]:
    """The objects of the document that are policies, or say who may use them; checked field by field."""
    found = []
    for item in objects_of(document):
        if item.kind in _KINDS:
            require_version(item, _GROUPS)
            if type_of(item.api_version, item.kind) is not None:
                found.append(item)
    if found:
        require(document)
    return tuple(found)


def require_sound(item: Item) -> None:
    """Raise InputError for a policy that a cluster would not store."""
    if item.kind == _SCC:
        from podward.schema.scc.reading import scc_source

        scc_source(item)
    elif item.kind in RBAC_KINDS:
        from podward.access.reading import read

        read(item)
    elif item.kind == "Namespace":
        from podward.policy.scc.namespace import namespace_source

        namespace_source(item)


def namespaces_of(items: Iterable[Item]) -> dict[str, Namespace]:
    """The Namespaces among these objects, by their name."""
    from podward.policy.scc.namespace import namespace_source

    return {item.name: namespace_source(item).view for item in items if item.kind == "Namespace"}


def policy_documents(items: Iterable[Item]) -> PolicyDocuments:
    """The policies that these objects, each name once, and the default ones make together."""
    from podward.access.openshift import rbac_of
    from podward.policy.scc.documents import in_force
    from podward.policy.scc.namespace import namespace_source
    from podward.schema.scc.reading import scc_source, warnings

    every = tuple(items)
    own = {item.name: scc_source(item) for item in every if item.kind == _SCC}
    return PolicyDocuments(
        sccs=in_force(own.values()),
        own=frozenset(own),
        rbac=rbac_of(every),
        namespaces={item.name: namespace_source(item) for item in every if item.kind == "Namespace"},
        service_accounts=frozenset(
            (item.namespace or DEFAULT_NAMESPACE, item.name) for item in every if item.kind == "ServiceAccount"
        ),
        warnings=tuple(warning for source in own.values() for warning in warnings(source)),
    )


def _scc_items(name: str) -> list[Item]:
    """What a file or directory of `--scc` holds."""
    directory = os.path.isdir(name)
    found: list[Item] = []
    every = documents([name], _SCC_ADVICE)
    for document in every:
        found += policies_of(document)
    has_scc = any(item.kind == _SCC for item in found)
    for document in () if directory else every:
        _require_nothing_else(document, TEMPLATES if has_scc else ())
    if not has_scc:
        held = ", ".join(dict.fromkeys(item.kind for item in found)) or "nothing of the kind"
        raise InputError(f"no {_SCC} in it, only {held}", where=name, advice=_SCC_ADVICE)
    return found


def _namespace_items(name: str) -> list[Item]:
    """What a file of `--namespace` holds."""
    found: list[Item] = []
    for document in documents([name], _NAMESPACE_ADVICE):
        mine = policies_of(document)
        for item in objects_of(document):
            if item.kind != "Namespace":
                where = item.where(path("kind"))
                raise InputError(f"a {item.kind} is no Namespace", where=where, advice=_NAMESPACE_ADVICE)
        found += mine
    return found


def _require_nothing_else(document: Document, beside: Collection[str]) -> None:
    """Raise InputError for an object that is no policy, and of none of the kinds that may stand `beside` policies."""
    places = {item.at for item in policies_of(document)}
    for item in objects_of(document):
        if item.at not in places and item.kind not in beside:
            what = f"a {item.kind} of {item.api_version} is no {_SCC}"
            raise InputError(what, where=item.where(path("kind")), advice=_SCC_ADVICE)


def _unique(items: Iterable[Item]) -> list[Item]:
    """The objects, each once; the same object may be given twice, two different ones of one name may not."""
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
