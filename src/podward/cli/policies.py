"""The policies that a command decides by, from its files: `--scc`, `--namespace`, and the documents of `-f`.

`--scc` names SCCs: at least one document of a file must be an SCC. Others that are policies belong to it (more SCCs,
and the RBAC, ServiceAccounts and Namespaces around them); whatever else is there is passed over. Documents of `-f` that
are policies count too.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import structs

from podward.access.policies import SCC, PolicyDocuments, each_once, in_force, policies_of
from podward.cli.inputs import documents
from podward.errors import InputError
from podward.path import path
from podward.schema.objects import Item, objects_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from podward.documents.document import Document

_SCC_ADVICE = "--scc takes files of kind: SecurityContextConstraints; Pods and workloads are named apart"
_NAMESPACE_ADVICE = "--namespace takes files of kind: Namespace"


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
    items = scc_items(scc_names)
    described = [item for name in namespace_names for item in _namespace_items(name)]
    gathered = in_force(each_once([*items, *described, *found]))
    return structs.replace(gathered, described=frozenset(item.name for item in described))


def scc_items(names: Iterable[str]) -> list[Item]:
    """What the files and directories of `--scc` hold."""
    return [item for name in names for item in _scc_items(name)]


def _scc_items(name: str) -> list[Item]:
    """What a file or directory of `--scc` holds."""
    found: list[Item] = []
    others: list[Item] = []
    for document in documents([name], _SCC_ADVICE):
        mine = policies_of(document)
        found += mine
        places = {item.at for item in mine}
        others += [item for item in objects_of(document) if item.at not in places]
    if any(item.kind == SCC for item in found):
        return found
    if others and not os.path.isdir(name):
        what = f"a {others[0].kind} of {others[0].api_version} is no {SCC}"
        raise InputError(what, where=others[0].where(path("kind")), advice=_SCC_ADVICE)
    held = ", ".join(dict.fromkeys(item.kind for item in found)) or "nothing of the kind"
    raise InputError(f"no {SCC} in it, only {held}", where=name, advice=_SCC_ADVICE)


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
