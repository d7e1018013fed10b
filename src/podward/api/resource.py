"""What an API server serves: resources, each of one group and version, with the verbs and subresources that it has.

Specification: k8s.io/apimachinery meta/v1 APIResource, and what a discovery document says of each. One kind of object
may be served in several groups and versions; it is stored as one of them, which all others are converted from and to.
"""

from __future__ import annotations

from msgspec import Struct

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
"""What most resources can do."""
CHANGED_VERBS = ("get", "patch", "update")
"""What most subresources can do."""


class GroupVersion(Struct, frozen=True):
    """A version of an API group; the core group has no name."""

    group: str
    version: str

    def __str__(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @classmethod
    def parse(cls, api_version: str) -> GroupVersion:
        """The group and version that an `apiVersion` names; the core group where there is no slash."""
        group, _, version = api_version.rpartition("/")
        return cls(group, version)


class Subresource(Struct, frozen=True):
    """A part of a resource with an address of its own: `status`, `scale`, `binding`.

    `kind`, `group` and `version` say what is sent and answered; `verbs` what can be done.
    """

    name: str
    kind: str
    group: str
    version: str
    verbs: tuple[str, ...] = CHANGED_VERBS

    @property
    def api_version(self) -> str:
        """The `apiVersion` of what is sent and answered."""
        return str(GroupVersion(self.group, self.version))


class Resource(Struct, frozen=True):
    """One resource of one group and version.

    `stored`: the group and version in which its objects are stored, of the same resource.
    """

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    list_kind: str
    stored: GroupVersion
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[Subresource, ...] = ()

    @property
    def group_version(self) -> GroupVersion:
        """The group and version of it."""
        return GroupVersion(self.group, self.version)

    @property
    def api_version(self) -> str:
        """The `apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """As messages name it: `deployments.apps`, `pods`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def is_stored(self) -> bool:
        """Whether its objects are kept: reviews and bindings are only asked."""
        return "get" in self.verbs and "create" in self.verbs

    def subresource(self, name: str) -> Subresource | None:
        """The subresource of this name."""
        for found in self.subresources:
            if found.name == name:
                return found
        return None
