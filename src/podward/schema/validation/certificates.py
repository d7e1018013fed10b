"""Sources of a projected volume that come from signers of certificates.

Specification: Kubernetes, validateProjectionSources, ValidateSignerName, ValidateClusterTrustBundleName,
ValidateUserAnnotations. A signer is `domain/path`. A trust bundle is called by its name, or chosen by its signer and a
selector; a bundle of a signer has the signer in its name, with colons. Both are behind feature gates that are off: a
server drops them from a new Pod before it validates that (see `dropped_fields`).
"""

from __future__ import annotations

from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.validation import labels
from podward.schema.validation.field import (
    NOTHING,
    Place,
    each,
    invalid,
    invalid_value,
    required,
    too_long,
    unsupported_text,
)
from podward.schema.validation.local_path import not_reserved_faults, taken
from podward.schema.validation.names import label_faults, subdomain_faults
from podward.schema.validation.raw import number, pointer, strings, text, texts
from podward.schema.validation.walk import Scope

_KEY_TYPES = ("RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519")
_FILES = ("credentialBundlePath", "keyPath", "certificateChainPath")
_SHORTEST, _LONGEST, _LONGEST_OF_KUBERNETES = 3600, 91 * 24 * 3600, 24 * 3600  # seconds
_LONGEST_DOMAIN, _LONGEST_SIGNER = 253, 253 + 253 + 63 + 2
_MOST_ANNOTATIONS = 256 * 1024


def check(source: JsonObject, scope: Scope, volume_at: Place, at: Place, paths: set[str]) -> Decision:
    """The trust bundle and the certificate of a source; `paths` are the volume's so far."""
    found = NOTHING
    if source.get("clusterTrustBundle") is not None:
        found += _trust_bundle(member(source, "clusterTrustBundle"), scope, volume_at, at / "clusterTrustBundle", paths)
    if source.get("podCertificate") is not None:
        found += _certificate(member(source, "podCertificate"), volume_at, at / "podCertificate", paths)
    return found


def _trust_bundle(raw: JsonObject, scope: Scope, volume_at: Place, at: Place, paths: set[str]) -> Decision:
    name, signer, path, selector = pointer(raw, "name"), pointer(raw, "signerName"), text(raw, "path"), _selector(raw)
    found: list[Decision] = []
    if name is not None and signer is not None:
        shown: JsonObject = {"Name": name, "SignerName": signer, "LabelSelector": selector}
        shown |= {"Optional": raw.get("optional"), "Path": path}
        found.append(invalid_value(at, shown, "only one of name and signerName may be used"))
    elif name is not None:
        found.append(NOTHING if name else required(at / "name", "must be a valid object name"))
        found.append(each(at / "name", name, (f"not a valid clustertrustbundlename: {f}" for f in _name_faults(name))))
        if selector is not None:
            detail = "labelSelector must be unset if name is specified"
            found.append(invalid_value(at / "labelSelector", selector, detail))
    elif signer is not None:
        found.append(NOTHING if signer else required(at / "signerName", "must be a valid signer name"))
        found.append(signer_name(signer, at / "signerName"))
        if selector is not None:
            found.append(scope.check("LabelSelector", member(raw, "labelSelector"), at / "labelSelector"))
    else:
        found.append(required(at, "either name or signerName must be specified"))
    found.append(each(at / "path", path, not_reserved_faults(path)) if path else required(at / "path"))
    return merge(*found, taken(path, path, volume_at, paths))


def _selector(raw: JsonObject) -> JsonObject | None:
    """The selector as the server prints it."""
    written = raw.get("labelSelector")
    if not isinstance(written, dict):
        return None
    shown: JsonObject = {}
    if chosen := strings(written, "matchLabels"):
        shown["matchLabels"] = {**chosen}
    if expressions := objects(written, "matchExpressions"):
        shown["matchExpressions"] = [
            {"key": text(each_one, "key"), "operator": text(each_one, "operator")}
            | ({"values": [*values]} if (values := texts(each_one, "values")) else {})
            for each_one in expressions
        ]
    return shown


def _name_faults(name: str) -> tuple[str, ...]:
    signer, colon, own = name.rpartition(":")
    if not colon:
        return subdomain_faults(name)
    if not signer:
        return ('ClusterTrustBundle without signer name must not have ":" in its name',)
    return subdomain_faults(own)


def _certificate(raw: JsonObject, volume_at: Place, at: Place, paths: set[str]) -> Decision:
    signer, key_type = text(raw, "signerName"), text(raw, "keyType")
    found = [
        signer_name(signer, at / "signerName"),
        _annotations(strings(raw, "userAnnotations"), at / "userAnnotations"),
    ]
    if key_type not in _KEY_TYPES:
        found.append(unsupported_text(at / "keyType", key_type, _KEY_TYPES))
    if raw.get("maxExpirationSeconds") is not None:
        found.append(_expiration(number(raw, "maxExpirationSeconds"), signer, at / "maxExpirationSeconds"))
    files = [name for name in _FILES if text(raw, name)]
    for name in files:
        path = text(raw, name)
        found += [each(at / name, path, not_reserved_faults(path)), taken(path, path, volume_at, paths)]
    if not files:
        found.append(required(at, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"))
    return merge(*found)


def _expiration(seconds: int, signer: str, at: Place) -> Decision:
    domain = signer.partition("/")[0]
    of_kubernetes = domain == "kubernetes.io" or domain.endswith(".kubernetes.io")
    most = _LONGEST_OF_KUBERNETES if of_kubernetes else _LONGEST
    found = NOTHING
    if seconds < _SHORTEST:
        found += invalid(at, seconds, f"if provided, maxExpirationSeconds must be >= {_SHORTEST}")
    if seconds > most:
        found += invalid(at, seconds, f"if provided, maxExpirationSeconds must be <= {most}")
    return found


def _annotations(written: dict[str, str], at: Place) -> Decision:
    found: list[Decision] = []
    for key in written:
        lower = key.lower()
        faults = labels.key_faults(lower)
        if not key:
            found.append(required(at))
        elif faults:
            found.append(each(at, lower, faults))
        elif "/" not in lower:
            found.append(invalid(at, lower, 'must be a domain-prefixed key (such as "acme.io/foo")'))
    if sum(len(key.encode()) + len(value.encode()) for key, value in written.items()) > _MOST_ANNOTATIONS:
        found.append(too_long(at, "", _MOST_ANNOTATIONS))
    return merge(*found)


def signer_name(name: str, at: Place) -> Decision:
    """What is wrong with the name of a signer: a domain and a path."""
    if not name:
        return required(at)
    domain, *rest = name.split("/")
    if len(rest) != 1:
        return invalid(at, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")
    found = [too_long(at, "", _LONGEST_DOMAIN) if len(domain.encode()) > _LONGEST_DOMAIN else NOTHING]
    parts = domain.split(".")
    found.append(_first_bad_part(domain, [(part, label_faults(part)) for part in parts], at))
    if len(parts) == 1:
        found.append(invalid(at, domain, "should be a domain with at least two segments separated by dots"))
    found.append(_first_bad_part(rest[0], [(part, subdomain_faults(part)) for part in rest[0].split(".")], at))
    if len(name.encode()) > _LONGEST_SIGNER:
        found.append(too_long(at, "", _LONGEST_SIGNER))
    return merge(*found)


def _first_bad_part(whole: str, parts: list[tuple[str, tuple[str, ...]]], at: Place) -> Decision:
    for part, faults in parts:
        if faults:
            return each(at, whole, (f"validating label {quote(part)}: {fault}" for fault in faults))
    return NOTHING
