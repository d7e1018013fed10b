"""What the answers of webhooks mean."""

from __future__ import annotations

import json

import pytest

from podward.stages.admission.webhooks.hooks import Hook
from podward.stages.admission.webhooks.reviews import Failure, Review, Verdict, verdict_of

_HOOK = Hook("c", {"name": "h.example.com"}, "u")
_UNDECODABLE = "received undecodable patch in webhook response: "
_UNFIT = (
    "failed to call webhook: json: cannot unmarshal string into Go struct field"
    " AdmissionResponse.response.allowed of type bool"
)
_INVALID = "received invalid webhook response: "


def _verdict(body: object, version: str = "v1", *, mutating: bool = True) -> Verdict | Failure:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return verdict_of(_HOOK, Review({}, version, "7"), sent, mutating=mutating)


def _answer(**response: object) -> dict[str, object]:
    kind = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
    return {**kind, "response": {"uid": "7", **response}}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "failed to call webhook: 0-length response with status code: 200 and content type: application/json"),
        (b"{", "failed to call webhook: couldn't get version/kind; json parse error: unexpected end of JSON input"),
        ({}, f"{_INVALID}webhook response was absent"),
        ({"response": {"uid": "8"}}, f'{_INVALID}expected response.uid="7", got "8"'),
        (
            {"response": {"uid": "7"}},
            f"{_INVALID}expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /, Kind=",
        ),
        (
            {**_answer(), "apiVersion": "admission.k8s.io/v1beta1"},
            "failed to call webhook: converting (v1beta1.AdmissionReview) to (v1.AdmissionReview): unknown conversion",
        ),
        (
            _answer(allowed="yes"),
            _UNFIT,
        ),
        (
            _answer(allowed=True, patch="W10="),
            f"{_INVALID}webhook returned response.patch but not response.patchType",
        ),
        (
            _answer(allowed=True, patchType="JSONPatch"),
            f"{_INVALID}webhook returned response.patchType but not response.patch",
        ),
        (_answer(allowed=True, patch="W10=", patchType="Merge"), 'unsupported patch type "Merge"'),
        (
            _answer(allowed=True, patch="e30=", patchType="JSONPatch"),
            f"{_UNDECODABLE}json: cannot unmarshal object into Go value of type jsonpatch.Patch",
        ),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_told_in_the_servers_words(body: object, why: str) -> None:
    assert _verdict(body) == Failure(why)


def test_an_old_review_may_say_less() -> None:
    assert _verdict({"response": {"allowed": True, "patch": "W10="}}, "v1beta1") == Verdict()


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (None, 400, "denied the request without explanation"),
        ({"code": 200, "status": "Success", "message": "no"}, 400, "denied the request: no"),
        ({"code": 451, "reason": "Law"}, 451, "denied the request: Law"),
    ],
)
def test_a_refusal_is_never_a_success(status: object, code: int, message: str) -> None:
    found = _verdict(_answer(allowed=False, status=status), mutating=False)
    assert isinstance(found, Verdict)
    assert found.refused is not None
    assert (found.refused.code, found.refused.message) == (code, f'admission webhook "h.example.com" {message}')


def test_nothing_that_is_not_said_to_be_allowed_is() -> None:
    found = _verdict(_answer())
    assert isinstance(found, Verdict)
    assert found.refused is not None


def test_warnings_that_no_header_can_have_are_dropped() -> None:
    found = _verdict(_answer(allowed=True, warnings=["a", "", "b\nc"], auditAnnotations={"k": "v"}))
    assert found == Verdict(None, (), ("a",), (("h.example.com/k", "v"),))
