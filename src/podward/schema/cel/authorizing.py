"""The authorizer in CEL: `authorizer.group("apps").resource("deployments").check("create").allowed()`.

Specification: k8s.io/apiserver pkg/cel/library/authz.go. A check is a question that the method `check` asks, of whom
the expression is evaluated for; an authorizer that fails answers with an error and allows nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeAlias

import msgspec
from msgspec import Struct

from podward.schema.cel.rows import Function, content, opaque


class Question(Struct, frozen=True, omit_defaults=True):
    """What is asked of the authorizer. `account` is a service account, NAMESPACE/NAME, to ask for; empty: the caller.

    `path` is asked about alone.
    """

    account: str = ""
    path: str = ""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    verb: str = ""
    field_selector: str = ""
    label_selector: str = ""


class Verdict(Struct, frozen=True, omit_defaults=True):
    """What the authorizer answers."""

    allowed: bool = False
    reason: str = ""
    error: str = ""


Ask: TypeAlias = "Callable[[Question], Verdict]"
ASKED: ContextVar[Ask | None] = ContextVar("ASKED", default=None)
"""Who answers while an expression is evaluated."""


def authorizer() -> bytes:
    """The value of the variable `authorizer`."""
    return _of("Authorizer", Question())


def resource_check(question: Question) -> bytes:
    """The value of the variable `authorizer.requestResource`."""
    return _of("ResourceCheck", question)


def _of(kind: str, question: Question) -> bytes:
    return opaque(kind, msgspec.json.encode(question).decode())


def _question(value: bytes) -> Question:
    return msgspec.json.decode(content(value), type=Question)


def _with(kind: str, field: str) -> Callable[[bytes, str], bytes]:
    """The step that adds this to a question."""
    return lambda value, text: _of(kind, msgspec.structs.replace(_question(value), **{field: text}))


def _checked(value: bytes, verb: str) -> bytes:
    ask, question = ASKED.get(), msgspec.structs.replace(_question(value), verb=verb)
    verdict = Verdict(error="there is no authorizer to ask here") if ask is None else ask(question)
    return opaque("Decision", msgspec.json.encode(verdict).decode())


def _verdict(value: bytes) -> Verdict:
    return msgspec.json.decode(content(value), type=Verdict)


def _for_account(value: bytes, namespace: str, name: str) -> bytes:
    return _of("Authorizer", msgspec.structs.replace(_question(value), account=f"{namespace}/{name}"))


FUNCTIONS = (
    Function("path", ("Authorizer", "string"), "PathCheck", _with("PathCheck", "path")),
    Function("group", ("Authorizer", "string"), "GroupCheck", _with("GroupCheck", "group")),
    Function("serviceAccount", ("Authorizer", "string", "string"), "Authorizer", _for_account),
    Function("resource", ("GroupCheck", "string"), "ResourceCheck", _with("ResourceCheck", "resource")),
    Function("subresource", ("ResourceCheck", "string"), "ResourceCheck", _with("ResourceCheck", "subresource")),
    Function("namespace", ("ResourceCheck", "string"), "ResourceCheck", _with("ResourceCheck", "namespace")),
    Function("name", ("ResourceCheck", "string"), "ResourceCheck", _with("ResourceCheck", "name")),
    Function("fieldSelector", ("ResourceCheck", "string"), "ResourceCheck", _with("ResourceCheck", "field_selector")),
    Function("labelSelector", ("ResourceCheck", "string"), "ResourceCheck", _with("ResourceCheck", "label_selector")),
    Function("check", ("PathCheck", "string"), "Decision", _checked),
    Function("check", ("ResourceCheck", "string"), "Decision", _checked),
    Function("allowed", ("Decision",), "bool", lambda value: _verdict(value).allowed),
    Function("reason", ("Decision",), "string", lambda value: _verdict(value).reason),
    Function("errored", ("Decision",), "bool", lambda value: bool(_verdict(value).error)),
    Function("error", ("Decision",), "string", lambda value: _verdict(value).error),
)
