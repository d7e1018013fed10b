"""What the server makes of new objects, and what it says of them."""

from __future__ import annotations

import base64

import pytest

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member
from podward.schema.godecode.syntax import syntax_error
from podward.schema.strategies.config import SECRET
from podward.schema.strategies.services import SERVICE
from podward.schema.strategies.stateful_sets import STATEFUL_SET
from podward.schema.strategies.volume_claims import VOLUME_CLAIM

BLOCK = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def test_a_new_claim_is_pending_whatever_it_says() -> None:
    assert VOLUME_CLAIM.prepare_for_create({"spec": {}, "status": {"phase": "Bound"}})["status"] == {"phase": "Pending"}


def test_a_service_that_gets_a_name_outside_loses_its_policy() -> None:
    old: JsonObject = {"spec": {"type": "ClusterIP", "internalTrafficPolicy": "Cluster"}}
    new: JsonObject = {"spec": {"type": "ExternalName", "internalTrafficPolicy": "Cluster"}}
    assert SERVICE.prepare_for_update(new, old)["spec"] == {"type": "ExternalName"}


def test_a_stateful_set_has_no_max_unavailable_unless_it_had_one() -> None:
    def of(**rolling: Json) -> JsonObject:
        return {"metadata": {}, "spec": {"template": {}, "updateStrategy": {"rollingUpdate": rolling}}}

    def rolling(obj: JsonObject) -> JsonObject:
        return member(member(member(obj, "spec"), "updateStrategy"), "rollingUpdate")

    new, old = of(partition=0, maxUnavailable=2), of(partition=0)
    assert rolling(STATEFUL_SET.prepare_for_create(new)) == {"partition": 0}
    assert rolling(STATEFUL_SET.prepare_for_update(new, old)) == {"partition": 0}
    assert rolling(STATEFUL_SET.prepare_for_update(new, of(maxUnavailable=1))) == {"partition": 0, "maxUnavailable": 2}


@pytest.mark.parametrize(
    ("certificate", "key", "said"), [("", "", "certificate"), (BLOCK, "x", "key"), ("x", BLOCK, "certificate")]
)
def test_a_certificate_without_a_block_is_warned_of(certificate: str, key: str, said: str) -> None:
    data: JsonObject = {
        name: base64.b64encode(text.encode()).decode() for name, text in (("tls.crt", certificate), ("tls.key", key))
    }
    found = SECRET.warnings({"type": "kubernetes.io/tls", "data": data}, None)
    assert found == (f"tls: failed to find any PEM data in {said} input",)
    assert not SECRET.warnings({"type": "Opaque", "data": data}, None)


def test_a_byte_that_is_no_character_is_told_as_a_byte() -> None:
    assert syntax_error(b"\xc7,") == r"invalid character '\xc7' looking for beginning of value"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"auths": {}}', ""),
        (" null", ""),
        ('{"auths"', "unexpected end of JSON input"),
        ("\xe9", "invalid character 'é' looking for beginning of value"),
        ("[]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ("-1", "json: cannot unmarshal number into Go value of type map[string]interface {}"),
    ],
)
def test_the_logins_of_a_registry_are_a_json_object(text: str, said: str) -> None:
    data: JsonObject = {".dockerconfigjson": base64.b64encode(text.encode()).decode()}
    metadata: JsonObject = {"name": "a", "namespace": "b"}
    found = SECRET.validate({"metadata": metadata, "type": "kubernetes.io/dockerconfigjson", "data": data})
    reasons = [violation.reason for violation in found.violations]
    assert reasons == ([f'Invalid value: "<secret contents redacted>": {said}'] if said else [])
