"""A Pod as the node has it: the document, the view of it, and where its things are."""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import Pod
from podward.api.effective import Place
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member
from podward.node.options import Options
from podward.policy.kubelet import cri_names, pod_cgroups, static_pods
from podward.schema.validation.raw import text
from podward.schema.view import pod_view

SOURCE = "the API server"


class Subject(Struct, frozen=True):
    """A Pod that is the node's affair."""

    document: JsonObject
    pod: Pod

    @classmethod
    def of(cls, document: JsonObject) -> Subject:
        """The Pod of this document."""
        return cls(document, pod_view(document))

    @property
    def uid(self) -> str:
        """The Pod's uid."""
        return self.pod.metadata.uid or ""

    @property
    def place(self) -> Place:
        """Where the Pod is written."""
        return Place(SOURCE)

    @property
    def is_static(self) -> bool:
        """Whether it came from a file of this machine."""
        return (self.pod.metadata.annotations or {}).get(static_pods.SOURCE) == "file"

    @property
    def deleted(self) -> bool:
        """Whether its deletion was asked for."""
        return "deletionTimestamp" in member(self.document, "metadata")

    @property
    def deletion_grace(self) -> int | None:
        """The seconds that the deletion gives."""
        found = member(self.document, "metadata").get("deletionGracePeriodSeconds")
        return found if isinstance(found, int) else None

    @property
    def phase(self) -> str:
        """The phase that the API has."""
        return text(member(self.document, "status"), "phase")

    @property
    def cgroup(self) -> str:
        """The path of its cgroup."""
        return pod_cgroups.path(self.pod.spec, self.uid)

    def directory(self, options: Options) -> str:
        """Where its things are."""
        return f"{options.pods}/{self.uid}"

    def logs(self, options: Options) -> str:
        """Where its logs are."""
        return f"{options.logs}/{cri_names.log_directory(self.pod)}"
