"""Random Pods, run for real: what was predicted of each process is what the kernel says."""

import subprocess
import sys
from pathlib import Path

import pytest
from proofs import examples, seed

PROVE = Path(__file__).parent / "prove.py"
TOOLS = ("root", "crun", "runc", "busybox", "skopeo", "umoci", "catatonit")


@pytest.mark.proof
@pytest.mark.needs(*TOOLS)
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("runtime", "pods"), [("crun", examples(20, 50)), ("runc", examples(5, 15))])
def test_random_pods_are_what_was_predicted(runtime: str, pods: int) -> None:
    words = [sys.executable, str(PROVE), "--pods", str(pods), "--runtime", runtime, *seed()]
    result = subprocess.run(words, capture_output=True, text=True, timeout=590, check=False)
    assert result.stdout.splitlines()[-1:] == [f"{pods} pods, 0 differ"], result.stdout + result.stderr
    assert result.returncode == 0
