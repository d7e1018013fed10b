"""Which state directories root uses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from podward.errors import NodeError
from podward.runtime.state import configured_root, state_root, untrusted

pytestmark = pytest.mark.needs("root")


def directory(path: Path, mode: int, uid: int = 0, gid: int = 0) -> str:
    path.mkdir()
    os.chown(path, uid, gid)
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize(
    ("mode", "owner", "word"),
    [(0o700, (12345, 0), "12345"), (0o777, (0, 0), "0777"), (0o1777, (0, 0), "1777"), (0o770, (0, 50), "0:50")],
)
def test_root_uses_no_directory_that_others_own_or_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, owner: tuple[int, int], word: str
) -> None:
    root = directory(tmp_path / "state", mode, *owner)
    monkeypatch.setenv("PODWARD_ROOT", root)
    with pytest.raises(NodeError, match=word) as raised:
        state_root()
    assert raised.value.where == root
    assert configured_root() == root


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o770])
def test_a_directory_that_only_root_writes_is_used(tmp_path: Path, mode: int) -> None:
    assert untrusted(directory(tmp_path / "state", mode)) == ""


def test_a_directory_that_others_may_replace_is_not_used_but_in_tmp_it_is(tmp_path: Path) -> None:
    above = tmp_path / "above"
    root = directory(Path(directory(above, 0o777)) / "state", 0o700)
    assert "replace" in untrusted(root)
    above.chmod(0o1777)
    assert untrusted(root) == ""


def test_a_directory_that_is_not_there_yet_is_no_fault(tmp_path: Path) -> None:
    assert untrusted(str(tmp_path / "a" / "b")) == ""


@pytest.mark.needs("root")
def test_an_ordinary_user_has_a_state_of_his_own(tmp_path: Path) -> None:
    def asked(**environment: str) -> str:
        script = (
            "import os; from podward.runtime import state; from podward.runtime.rootless import directories; "
            "os.setresuid(61631, 61631, 61631); print(state.configured_root())"
        )
        words = [sys.executable, "-c", script]
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    assert asked(HOME="/home/alice") == "/home/alice/.local/share/podward"
    assert asked(HOME="/home/alice", PODWARD_ROOT=str(tmp_path)) == str(tmp_path)
    assert asked() == "/var/lib/podward"
