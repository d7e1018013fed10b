"""One request for a Pod's admission: what the passes are asked about."""

from __future__ import annotations

from msgspec import Struct

from podward.api.admission import Operation
from podward.api.authorization import Authorizer
from podward.api.caller import User
from podward.api.core import Namespace, Pod
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member


class RequestFacts(Struct, frozen=True):
    """A request to create or update a Pod; SCC admission looks at nothing else.

    `pod` is the view of `raw`. `namespace` is None if it does not exist; `namespace_name` is where the Pod is to be.
    `old` is the stored Pod that is updated; `subresource` is empty for the Pod itself.
    """

    pod: Pod
    raw: JsonObject
    namespace: Namespace | None
    namespace_name: str
    user: User
    authorizer: Authorizer
    operation: Operation = Operation.CREATE
    old: JsonObject | None = None
    subresource: str = ""

    @property
    def account(self) -> str:
        """The name of the Pod's service account, under its present name or the one it had; empty for none."""
        name = self.pod.spec.service_account_name
        if name:
            return name
        former = member(self.raw, "spec").get("serviceAccount")
        return former if isinstance(former, str) else ""

    def annotation(self, name: str) -> str:
        """An annotation of the Pod; empty if it is not there, as in Go."""
        annotations = self.pod.metadata.annotations
        return (annotations.get(name) or "") if annotations else ""

    def old_annotation(self, name: str) -> str:
        """An annotation of the Pod as it is stored."""
        found = member(member(self.old or {}, "metadata"), "annotations").get(name)
        return found if isinstance(found, str) else ""
