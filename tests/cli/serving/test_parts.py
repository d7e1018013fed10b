"""The flags that parts get, and when a part that died is started again."""

from __future__ import annotations

import argparse
import subprocess
import sys

import pytest

from podward.cli import apiserver, node
from podward.cli.main import main
from podward.cli.serving import passed_on
from podward.cli.serving.child import pause_after
from podward.errors import UsageError


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    passed_on.add(parser, apiserver.configure, "server", {"--data-dir"})
    passed_on.add(parser, node.configure, "nodes", {"--data-dir", "--kubeconfig"})
    return parser.parse_args(words)


def test_flags_are_passed_on_as_they_were_written() -> None:
    args = parsed("--openshift", "--disable-admission-plugins", "ServiceAccount,LimitRanger", "--max-pods=5")
    assert passed_on.words(args, apiserver.configure, {"--data-dir"}) == [
        "--openshift",
        "--disable-admission-plugins=ServiceAccount,LimitRanger",
    ]
    assert passed_on.words(args, node.configure, {"--data-dir", "--kubeconfig"}) == ["--max-pods=5"]


def test_what_a_part_would_refuse_is_refused_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--max-pods", "many"]) == UsageError.exit_code
    assert "this is no number: 'many'" in capsys.readouterr().err


def test_a_part_that_dies_again_and_again_waits_longer_each_time() -> None:
    assert [pause_after(failures) for failures in (0, 1, 2, 99)] == [0.2, 0.4, 0.8, 30.0]


def test_the_supervisor_has_nothing_that_only_its_parts_need() -> None:
    words = "import sys, podward.cli.serve, podward.cli.serving.cluster; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True).stdout.split()
    assert not {"asyncio", "aiohttp", "cryptography", "sqlite3"} & set(loaded)
