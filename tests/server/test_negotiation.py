"""In which form an answer is written."""

from __future__ import annotations

import pytest

from podward.api.status import Status
from podward.server.negotiation import JSON, YAML, Accepted, accepted, unrouted


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", Accepted()),
        ("*/*", Accepted()),
        ("application/yaml", Accepted(YAML)),
        ("text/html;q=0.9, application/json;q=0.8", Accepted()),
        ("application/vnd.kubernetes.protobuf,application/json", Accepted()),
        ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", Accepted(JSON, "Table")),
        ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", Accepted()),
        ("application/json;pretty=1", Accepted(pretty=True)),
    ],
)
def test_the_best_form_that_there_is_is_taken(header: str, found: Accepted) -> None:
    assert accepted(header) == found


@pytest.mark.parametrize(
    ("header", "beginning"),
    [
        ("application/*", "406: Not Acceptable"),
        ("text/html", "406: Not Acceptable"),
        ("application/json;as=Table;v=v9;g=meta.k8s.io", "only the following media types are accepted"),
        ("application/vnd.kubernetes.protobuf", "only the following media types are accepted"),
    ],
)
def test_a_form_that_there_is_not_is_refused(header: str, beginning: str) -> None:
    found = accepted(header)
    assert isinstance(found, Status)
    assert (found.code, found.message[: len(beginning)]) == (406, beginning)


def test_a_refusal_is_written_in_any_case() -> None:
    assert unrouted("text/html").media == JSON
    assert unrouted("application/yaml").media == YAML
    assert unrouted("application/yaml;as=Table;v=v1;g=meta.k8s.io").media == JSON
