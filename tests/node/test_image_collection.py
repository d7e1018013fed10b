"""Images that nobody uses go from a real node whose disk counts as full."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import image_layout
import pytest
from running_node import Node, eventually, running

from podward.cli.main import main
from podward.errors import UsageError
from podward.runtime.images.importing import import_path
from podward.runtime.images.store import ImageStore

pytestmark = pytest.mark.needs("root", "crun", "busybox")
FULL = ("--image-gc-high-threshold=1", "--image-gc-low-threshold=0", "--minimum-image-ttl-duration=0s")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with running(tmp_path, *FULL) as made:
        yield made


def have(node: Node, name: str) -> str:
    """An image as a registry gives it: it has a digest; and its id."""
    members = f'"config":{{"Env":["PATH=/bin","NAME={name}"]}}'
    packed = image_layout.layer(image_layout.small_root)
    layout = image_layout.write_layout(node.root.parent / name, name, members, packed)
    digest = hashlib.sha256(name.encode()).hexdigest()
    (image,) = import_path(ImageStore(str(node.root)), layout, f"registry.example/{name}@sha256:{digest}")
    return image.id


def here(node: Node) -> set[str]:
    return {entry.id for entry in ImageStore(str(node.root)).entries()}


def freed(node: Node) -> bool:
    """Whether something was removed, and was not enough."""
    told = [message for reason, message in node.events(node.name) if reason == "FreeDiskSpaceFailed"]
    return any("(freed 0 bytes)" not in message for message in told)


def test_what_nobody_uses_goes_and_what_a_container_or_a_volume_uses_stays(node: Node) -> None:
    imported = here(node)
    idle, ended, mounted = (have(node, name) for name in ("idle", "ended", "mounted"))
    node.create(
        "user",
        [{"name": "c", "image": ended, "command": ["true"], "volumeMounts": [{"name": "i", "mountPath": "/i"}]}],
        volumes=[{"name": "i", "image": {"reference": mounted}}],
        restartPolicy="Never",
    )
    node.until("user", lambda found: found["status"].get("phase") == "Succeeded")
    node.kill()
    node.start_again()
    eventually(lambda: freed(node))
    assert here(node) == imported | {ended, mounted}
    assert idle not in here(node)


def test_thresholds_that_contradict_each_other_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["node", "--kubeconfig", "F", "--image-gc-low-threshold"]
    assert main([*words, "85"]) == UsageError.exit_code
    assert "less than the high threshold, 85" in capsys.readouterr().err
    assert main([*words[:-1], "--image-maximum-gc-age", "2m"]) == UsageError.exit_code
    assert "more than the least age" in capsys.readouterr().err
