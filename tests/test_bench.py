"""The benchmarks measure what a cluster would be asked: valid Pods."""

from __future__ import annotations

import msgspec
from pods import pods

from podward.cli.questions.validate import Undecoded, answer


def test_every_pod_is_one_that_an_api_server_takes() -> None:
    for asked in pods(2000):
        pod = msgspec.json.decode(asked.pod)
        pod["metadata"]["name"] = (
            pod["metadata"]["generateName"] + "x7k2p"
        )  # as the server names it before it validates
        said = answer(msgspec.json.encode({"pod": pod}))
        assert not isinstance(said, Undecoded), said.decode_error
        assert (said.strict_errors, said.apiserver_errors) == ((), ()), asked.pod
