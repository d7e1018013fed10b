"""Records the transcripts of this folder anew, at a real kube-apiserver that was started for it and is empty.

usage: record.py URL TRANSCRIPT...

The server has the tokens of tests/e2e/api_server.py, RBAC and no controllers. Commands stay, what they print is
written.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from transcripts import Shell, kubeconfig, read, written

MANIFESTS = Path(__file__).with_name("manifests")


def main() -> None:
    url, *names = sys.argv[1:]
    for name in names:
        with tempfile.TemporaryDirectory() as directory:
            shell = Shell(Path(directory), kubeconfig(url, ""), MANIFESTS)
            steps = read(Path(name).read_text())
            for step in steps:
                step.lines = shell.run(step.command)
            Path(name).write_text(written(steps))


if __name__ == "__main__":
    main()
