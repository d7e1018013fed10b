"""Who may do what: a request as authorizers see it, and what they answer.

Specification: Kubernetes, k8s.io/apiserver, pkg/authorization/authorizer. An authorizer allows a request, denies
it, or has no opinion; what nobody allows is not allowed.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from msgspec import Struct

from podward.api.caller import User
from podward.decision import Source


class Requirement(Struct, frozen=True):
    """What a selector asks of a field or a label; `operator` is In, NotIn, Exists or DoesNotExist."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


class Attributes(Struct, frozen=True):
    """Who wants to do what: a verb on a resource, or on a URL that is none (`path` is then not empty).

    The selectors are those of a list, a watch or a deletecollection, as far as they were understood.
    """

    user: User
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    namespace: str = ""
    path: str = ""
    version: str = ""
    field_selector: tuple[Requirement, ...] = ()
    label_selector: tuple[Requirement, ...] = ()


class Opinion(Enum):
    """What an authorizer says to a request."""

    ALLOW = "allow"
    DENY = "deny"
    NO_OPINION = "no opinion"


class Answer(Struct, frozen=True):
    """An authorizer's opinion; whoever allows or denies says which object decided, as `source`, and why.

    `error` is what kept an authorizer from finding out; a request that is not allowed then fails instead.

    Raises ValueError for an ALLOW or DENY without a source: nobody could explain it.
    """

    opinion: Opinion = Opinion.NO_OPINION
    source: Source | None = None
    message: str = ""
    error: str = ""

    def __post_init__(self) -> None:
        if self.source is None and self.opinion is not Opinion.NO_OPINION:
            raise ValueError(f"{self.opinion.value} without a source")

    @property
    def reason(self) -> str:
        """The authorizer's sentence; empty for none."""
        return self.message


NO_OPINION = Answer()
"""The answer of an authorizer that the request does not concern."""


class Authorizer(Protocol):
    """Whatever answers who may do what: a table of rules, a chain of others."""

    def authorize(self, wanted: Attributes) -> Answer:
        """Whether the user may do it, as far as this authorizer knows."""
