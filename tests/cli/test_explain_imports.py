"""What `podward explain` and `podward diff` import: start-up time, guarded without a clock."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "asyncio", "dataclasses", "email", "html", "http", "inspect", "json", "jsonschema", "kubernetes_validate",
    "logging", "multiprocessing", "pathlib", "random", "rich", "shutil", "socket", "ssl", "subprocess", "tempfile",
    "unittest", "urllib",
}  # fmt: skip
RUNNING = {
    "podward.cli.running", "podward.runtime.live_facts", "podward.runtime.observe", "podward.runtime.pod",
    "podward.runtime.supervisor",
}  # fmt: skip


@pytest.mark.parametrize("module", ["podward.cli.explaining", "podward.cli.comparing"])
def test_explaining_imports_nothing_heavy_and_nothing_that_runs(module: str) -> None:
    program = (
        "import sys\nsys.modules['typing_extensions'] = None\n"
        f"import podward.cli.main, podward.cli.parser, podward.cli.inputs, {module}\n"
        "import podward.render.explain.table, podward.render.explain.document, podward.policy.hints.all\n"
        "print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    imported = set(ran.stdout.split())
    assert module in imported
    assert sorted(imported & HEAVY) == []
    assert sorted(imported & RUNNING) == []
