"""Tokens of service accounts that Secrets hold: those that never expire, and are good as long as the Secret has them.

Specification: Kubernetes, pkg/serviceaccount/legacy.go and pkg/controller/serviceaccount/tokens_controller.go: a Secret
of the type names its account in an annotation, and perhaps the account's uid. What is missing in it is put in: the
authority, the namespace, the token. A Secret whose account is gone goes too.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from podward.access.service_accounts.claims import LEGACY_ISSUER, ObjectReference
from podward.api.caller import account_username
from podward.documents.raw_fields import member
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from collections.abc import Callable

    from podward.api.json_value import JsonObject

TYPE = "kubernetes.io/service-account-token"
_NAME, _UID = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"
_CLAIM = "kubernetes.io/serviceaccount/"


def wanted_account(secret: JsonObject) -> ObjectReference | None:
    """The account whose token the Secret is to hold; None where it holds none."""
    annotations = member(member(secret, "metadata"), "annotations")
    name = text(annotations, _NAME)
    return ObjectReference(name, text(annotations, _UID)) if secret.get("type") == TYPE and name else None


def belongs_to(wanted: ObjectReference, account: JsonObject | None) -> bool:
    """Whether this is the account that is wanted."""
    return account is not None and wanted.uid in {"", text(member(account, "metadata"), "uid")}


def claims(secret: JsonObject, account: JsonObject) -> JsonObject:
    """What the token in the Secret says."""
    of, named = member(secret, "metadata"), member(account, "metadata")
    namespace, name = text(of, "namespace"), text(named, "name")
    return {
        "iss": LEGACY_ISSUER,
        f"{_CLAIM}namespace": namespace,
        f"{_CLAIM}secret.name": text(of, "name"),
        f"{_CLAIM}service-account.name": name,
        f"{_CLAIM}service-account.uid": text(named, "uid"),
        "sub": account_username(namespace, name),
    }


def completed(
    secret: JsonObject, account: JsonObject, authority: bytes, signed: Callable[[JsonObject], str]
) -> JsonObject | None:
    """The Secret with all that was missing in it; None where nothing was."""
    data, of, named = member(secret, "data"), member(secret, "metadata"), member(account, "metadata")
    made: JsonObject = {**data}
    if not data.get("ca.crt") and authority:
        made["ca.crt"] = b64encode(authority).decode()
    if not data.get("namespace"):
        made["namespace"] = b64encode(text(of, "namespace").encode()).decode()
    if not data.get("token"):
        made["token"] = b64encode(signed(claims(secret, account)).encode()).decode()
    if made == data:
        return None
    noted: JsonObject = {**member(of, "annotations"), _NAME: named.get("name"), _UID: named.get("uid")}
    return {**secret, "data": made, "metadata": {**of, "annotations": noted}}
