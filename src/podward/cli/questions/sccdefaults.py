"""`podward batch sccdefaults`: what OpenShift makes of an SCC when it is written."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from podward.api.json_value import JsonObject, kind_of
from podward.documents.document import Document
from podward.errors import InputError
from podward.schema import strict
from podward.schema.scc.defaults import defaulted
from podward.schema.scc.encoding import encoded
from podward.schema.scc.reading import API_VERSION, KIND


class SccDefaultsQuestion(Struct, frozen=True):
    """An SCC as somebody wants to write it."""

    scc: msgspec.Raw


class SccDefaultsAnswer(Struct, frozen=True):
    """The SCC as OpenShift stores it."""

    scc: JsonObject


def answer(line: bytes) -> SccDefaultsAnswer:
    """The SCC after its defaulting; values of a wrong type are an InputError, as the real decoder refuses them."""
    question = msgspec.json.decode(line, type=SccDefaultsQuestion)
    raw = msgspec.json.decode(question.scc)
    if not isinstance(raw, dict):
        raise InputError(f"expected an object, found {kind_of(raw)}", where="scc")
    whole = Document("scc", {**raw, "apiVersion": API_VERSION, "kind": KIND})
    wrong = next((mistake for mistake in strict.mistakes(whole) if not mistake.unknown), None)
    if wrong is not None:
        raise InputError(wrong.what, where=f"scc.{wrong.path}")
    return SccDefaultsAnswer(encoded(defaulted(raw)))
