"""The kubeconfig that a server writes, and what it does with one that others have changed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from podward.errors import InputError, UsageError
from podward.server import kubeconfig
from podward.server.own_authority import KeyPair, OwnAuthority


@pytest.fixture
def pair(tmp_path: Path) -> KeyPair:
    return OwnAuthority(str(tmp_path)).client("admin", ("system:masters",))


def written(path: Path, pair: KeyPair, address: str) -> dict[str, Any]:
    kubeconfig.refresh(str(path), kubeconfig.text_of(address, b"authority", pair))
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def kubectl(path: Path, *words: str) -> None:
    subprocess.run(["kubectl", "config", "--kubeconfig", path, *words], check=True, capture_output=True)


def test_what_kubectl_has_changed_in_it_stays_and_it_is_ours_still(tmp_path: Path, pair: KeyPair) -> None:
    path = tmp_path / "kubeconfig"
    written(path, pair, "https://127.0.0.1:1")
    kubectl(path, "set-context", "--current", "--namespace=shop")
    kubectl(path, "set-cluster", "other", "--server=https://other")
    kubectl(path, "set-credentials", "bob", "--token=secret")
    kubectl(path, "set-context", "theirs", "--cluster=other", "--user=bob")
    kubectl(path, "use-context", "theirs")
    kubeconfig.require_ours(str(path))
    for port in (2, 3):
        found = written(path, pair, f"https://127.0.0.1:{port}")
        assert {each["name"]: each["cluster"]["server"] for each in found["clusters"]} == {
            "podward": f"https://127.0.0.1:{port}",
            "other": "https://other",
        }
        assert {each["name"] for each in found["users"]} == {"podward-admin", "bob"}
        contexts = {each["name"]: each["context"] for each in found["contexts"]}
        assert contexts["podward"] == {"cluster": "podward", "user": "podward-admin", "namespace": "shop"}
        assert found["current-context"] == "theirs"
        assert os.stat(path).st_mode & 0o777 == 0o600


def test_a_context_that_was_deleted_is_made_again(tmp_path: Path, pair: KeyPair) -> None:
    path = tmp_path / "kubeconfig"
    written(path, pair, "https://127.0.0.1:1")
    kubectl(path, "delete-context", "podward")
    assert [each["name"] for each in written(path, pair, "https://127.0.0.1:1")["contexts"]] == ["podward"]


def test_a_parts_file_is_as_it_is_written_here(tmp_path: Path, pair: KeyPair) -> None:
    path, text = tmp_path / "kubeconfig", kubeconfig.text_of("https://127.0.0.1:1", b"authority", pair)
    kubeconfig.write(str(path), text)
    kubectl(path, "set-cluster", "other", "--server=https://other")
    kubectl(path, "set-context", "theirs", "--cluster=other", "--user=podward-admin")
    kubectl(path, "use-context", "theirs")
    kubeconfig.write(str(path), text)
    assert path.read_text() == text


@pytest.mark.parametrize(
    "content",
    [
        "",
        "mine\n",
        "clusters: [",
        "clusters: [podward]\nusers: [podward-admin]\n",
        "clusters: [{name: podward}]\nusers: [{name: bob}]\n",
        "clusters: [{name: kind}]\nusers: [{name: podward-admin}]\n",
        "clusters: [{name: podward}]\nusers: [{name: podward-admin}]\n---\nmore: true\n",
        "clusters: [{name: podward}]\n# mine\nusers: [{name: podward-admin}]\n",
    ],
)
def test_somebody_elses_file_is_left_alone(tmp_path: Path, pair: KeyPair, content: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(content)
    with pytest.raises(UsageError, match="has not written it"):
        written(path, pair, "https://127.0.0.1:1")
    assert path.read_text() == content


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        kubeconfig.require_ours(str(tmp_path))
