"""The RBAC of an OpenShift cluster, from documents: its own roles and bindings, and the written ones.

A written object takes the place of the default one of its kind and name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access.objects import RoleObject
from podward.access.rbac import Rbac
from podward.access.reading import is_rbac, read
from podward.documents.document import Document
from podward.policy.scc import default_set
from podward.schema.objects import objects_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from podward.schema.objects import Item


def rbac_of(written: Iterable[Item]) -> Rbac:
    """The authorizer that the default RBAC and the roles and bindings among these objects make together.

    Raises InputError for what the API server would not store.
    """
    raws = default_set.default_rbac()
    shipped = [item for raw in raws for item in objects_of(Document(default_set.RBAC_NAME, raw))]
    in_force = {item.identity: item for item in (*shipped, *filter(is_rbac, written))}
    found = [read(item) for item in in_force.values()]
    return Rbac(
        [each for each in found if isinstance(each, RoleObject)],
        [each for each in found if not isinstance(each, RoleObject)],
    )
