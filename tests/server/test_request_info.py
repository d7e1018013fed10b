"""What a path is about."""

from __future__ import annotations

import pytest

from podward.server.request_info import request_info


@pytest.mark.parametrize(
    ("method", "path", "verb", "namespace", "resource", "subresource", "name"),
    [
        ("GET", "/api/v1/pods", "list", "", "pods", "", ""),
        ("GET", "/api/v1/namespaces/n/pods", "list", "n", "pods", "", ""),
        ("GET", "/api/v1/namespaces/n/pods/p", "get", "n", "pods", "", "p"),
        ("PUT", "/api/v1/namespaces/n/pods/p/status", "update", "n", "pods", "status", "p"),
        ("GET", "/api/v1/namespaces/n", "get", "n", "namespaces", "", "n"),
        ("PUT", "/api/v1/namespaces/n/finalize", "update", "n", "namespaces", "finalize", "n"),
        ("DELETE", "/apis/apps/v1/namespaces/n/deployments", "deletecollection", "n", "deployments", "", ""),
        ("POST", "/apis/apps/v1/namespaces/n/deployments", "create", "n", "deployments", "", ""),
        ("GET", "/api/v1/watch/namespaces/n/pods", "watch", "n", "pods", "", ""),
    ],
)
def test_a_path_of_a_resource(  # noqa: PLR0913, PLR0917 - a table
    method: str, path: str, verb: str, namespace: str, resource: str, subresource: str, name: str
) -> None:
    info = request_info(method, path, {})
    assert info.resource_request
    assert (info.verb, info.namespace, info.resource) == (verb, namespace, resource)
    assert (info.subresource, info.name) == (subresource, name)


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1", "/apis/apps/v1", "/healthz", "/apix/v1/pods"])
def test_a_path_of_no_resource(path: str) -> None:
    assert not request_info("GET", path, {}).resource_request


def test_a_list_of_one_name_is_authorized_for_that_name() -> None:
    info = request_info("GET", "/api/v1/pods", {"fieldSelector": ["metadata.name=p"], "watch": ["1"]})
    assert (info.verb, info.name) == ("watch", "p")
