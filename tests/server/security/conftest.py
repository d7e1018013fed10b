"""A server with a kind of its own, whose clients are recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from api_server import Server, running

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"},
                },
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


Serving = Callable[..., AbstractContextManager[Server]]


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Serving:
    """Starts a server with these flags that serves Widgets too."""

    @contextmanager
    def start(*flags: str) -> Iterator[Server]:
        with running(tmp_path_factory.mktemp("server"), *flags) as started:
            assert started.ask("POST", CRDS, CRD)[0] == 201
            end = time.monotonic() + 20
            while started.ask("GET", "/apis/example.com/v1/widgets")[0] != 200:
                assert time.monotonic() < end
                time.sleep(0.05)
            yield started

    return start


@pytest.fixture(scope="module")
def server(serving: Serving) -> Iterator[Server]:
    with serving() as started:
        yield started
