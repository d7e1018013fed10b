"""ServiceAccount: what a Pod may refer to: a mirror Pod to no secret, a Pod of a limiting account to the account's own.

Specification: Kubernetes, plugin/pkg/admission/serviceaccount Validate. An account limits its Pods where it is
annotated so; the secrets are then those that it lists, and those of images its own list of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema.pod_references import secrets

_LIMITS = "kubernetes.io/enforce-mountable-secrets"
_TRUE = frozenset(("1", "t", "T", "true", "TRUE", "True"))
"""What Go's strconv.ParseBool takes for true."""
_NOT_REFERENCED = "is not allowed because service account"


def fault_of_mirror(pod: JsonObject) -> str:
    """What a mirror Pod, which a node made of a file, may not refer to; empty where it does not."""
    spec = member(pod, "spec")
    if spec.get("serviceAccountName"):
        return "a mirror pod may not reference service accounts"
    if any(secrets(pod)):
        return "a mirror pod may not reference secrets"
    projected = (objects(member(volume, "projected"), "sources") for volume in objects(spec, "volumes"))
    if any(source.get("serviceAccountToken") is not None for sources in projected for source in sources):
        return "a mirror pod may not use ServiceAccountToken volume projections"
    return ""


def fault_of_references(pod: JsonObject, account: JsonObject) -> str:
    """Which secret of the Pod its account does not have; empty where the account does not limit its Pods."""
    if not _is_limiting(account):
        return ""
    spec, name = member(pod, "spec"), str(member(account, "metadata").get("name") or "")
    known = {str(each.get("name") or "") for each in objects(account, "secrets")}
    for volume in objects(spec, "volumes"):
        source = volume.get("secret")
        if isinstance(source, dict) and (secret := str(source.get("secretName") or "")) not in known:
            return _refusal(f'volume with secret.secretName="{secret}"', name)
    kinds = (("init container", "initContainers"), ("container", "containers"))
    found = next((fault for kind, field in kinds for fault in _of_containers(spec, kind, field, known, name)), "")
    if found:
        return found
    pulling = {str(each.get("name") or "") for each in objects(account, "imagePullSecrets")}
    for index, reference in enumerate(objects(spec, "imagePullSecrets")):
        secret = str(reference.get("name") or "")
        if secret not in pulling:
            of = f'imagePullSecrets[{index}].name="{secret}" {_NOT_REFERENCED} {name}'
            return f"{of} does not reference that imagePullSecret"
    return ""


def fault_of_debugging(pod: JsonObject, account: JsonObject) -> str:
    """The same of the Pod's ephemeral containers alone."""
    if not _is_limiting(account):
        return ""
    known = {str(each.get("name") or "") for each in objects(account, "secrets")}
    name = str(member(account, "metadata").get("name") or "")
    kind, field = "ephemeral container", "ephemeralContainers"
    return next(_of_containers(member(pod, "spec"), kind, field, known, name), "")


def _is_limiting(account: JsonObject) -> bool:
    return member(member(account, "metadata"), "annotations").get(_LIMITS) in _TRUE


def _of_containers(spec: JsonObject, kind: str, field: str, known: set[str], account: str) -> Iterator[str]:
    for container in objects(spec, field):
        for variable in objects(container, "env"):
            reference = member(variable, "valueFrom").get("secretKeyRef")
            if isinstance(reference, dict) and (secret := str(reference.get("name") or "")) not in known:
                of = f"{kind} {container.get('name')} with envVar {variable.get('name')}"
                yield _refusal(f'{of} referencing secret.secretName="{secret}"', account)
        for source in objects(container, "envFrom"):
            reference = source.get("secretRef")
            if isinstance(reference, dict) and (secret := str(reference.get("name") or "")) not in known:
                of = f"{kind} {container.get('name')} with envFrom"
                yield _refusal(f'{of} referencing secret.secretName="{secret}"', account)


def _refusal(what: str, account: str) -> str:
    return f"{what} {_NOT_REFERENCED} {account} does not reference that secret"
