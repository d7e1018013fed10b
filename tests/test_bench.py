"""The benchmarks measure what a cluster would be asked: valid Pods, of which policies refuse one in ten."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from pods import REFUSED_SHARE, pods
from proofs import examples

from podward.cli.questions.validate import Undecoded, answer

BENCH = Path(__file__).parent.parent / "bench"


@pytest.mark.proof
def test_every_pod_is_one_that_an_api_server_takes() -> None:
    for asked in pods(examples(150, 500)):
        pod = msgspec.json.decode(asked.pod)
        pod["metadata"]["name"] = (
            pod["metadata"]["generateName"] + "x7k2p"
        )  # as the server names it before it validates
        said = answer(msgspec.json.encode({"pod": pod}))
        assert not isinstance(said, Undecoded), said.decode_error
        assert (said.strict_errors, said.apiserver_errors) == ((), ()), asked.pod


def test_as_many_pods_are_refused_by_policies_as_the_bench_says() -> None:
    words = (str(BENCH / "admission"), "0.01", "--pods", "1000")
    said = subprocess.run((sys.executable, *words), capture_output=True, text=True, check=True).stdout
    share = re.match(r"1000 Pods of [\d,]+ bytes, (\d+)% refused by 11 SCCs\n", said)
    assert share is not None, said
    assert abs(int(share[1]) / 100 - REFUSED_SHARE) <= 0.02


def test_the_api_server_is_measured_in_all_that_was_recorded_of_the_real_one() -> None:
    words = (str(BENCH / "apiserver"), "20")
    said = subprocess.run((sys.executable, *words), capture_output=True, text=True, check=True, timeout=100).stdout
    recorded = re.search(r"^REAL = \{(.*?)^\}", (BENCH / "apiserver").read_text(), re.DOTALL | re.MULTILINE)
    assert recorded is not None
    names = re.findall(r'"([^"]+)":', recorded[1])
    rows = [line for line in said.splitlines() if re.search(r" \d+\.\d$", line)]
    assert [name for name in names if not any(row.startswith(f"{name} ") for row in rows)] == []
    assert len(rows) == len(names) == 13
