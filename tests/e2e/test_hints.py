"""Each failing manifest of tests/corpus/hints misbehaves when it runs, and the changes of its hint cure it.

The hints are those that `podward explain` prints, and the kernel is the witness of both runs. What the pages of
docs/hints show is compared with what the commands print.
"""

from __future__ import annotations

import contextlib
import gc
import os
import re
import shlex
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hint_corpus import AGNHOST, HINTS, HOST_DIRECTORY, ODD_IMAGE, Case, cases, name_of
from hint_facts import NODE, World, changed, facts_of
from podward_command import PROJECT, Podward

from podward.api.explanation import Change
from podward.api.json_value import Json
from podward.cli import main as commands
from podward.documents.patching import json_of
from podward.documents.reader import decode_documents
from podward.path import Path as FieldPath
from podward.policy.hints.all import RULES
from podward.runtime.images.building import build
from podward.runtime.images.store import ImageStore

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")
SCHEMA_REFUSES = "container-field-on-pod"
NOT_HERE = {"token-not-readable", "empty-object-wipes-pod-value/selinux"}
"""What no single machine without API server, or without SELinux, can show: tests/policy/hints does, on facts."""
INVALID = {"empty-object-wipes-pod-value/seccomp"}
"""What only Pods that never pass an API server may say, so that `podward explain` refuses it."""
NET_ADMIN = 1 << 12
_CONTAINERFILE = """FROM busybox:root
COPY --chmod=4755 busybox /setuid/ping
COPY --chmod=0755 busybox /capable/ip
"""


@pytest.fixture(scope="session")
def odd_images(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example images and one with a setuid program and one that has a capability of its own."""
    context = tmp_path_factory.mktemp("context")
    store = ImageStore(str(images))
    shutil.copy(f"{store.resolve('busybox:root').rootfs}/bin/busybox", context)
    (context / "Containerfile").write_text(_CONTAINERFILE, encoding="ascii")
    build(store, str(context / "Containerfile"), str(context), ODD_IMAGE)
    capable = f"{store.resolve(ODD_IMAGE).rootfs}/capable/ip"
    os.setxattr(capable, "security.capability", struct.pack("<5I", 0x02000001, NET_ADMIN, 0, 0, 0))
    return images


class Replaced(msgspec.Struct):
    """A change, as `podward explain -o json` prints it."""

    pointer: str
    value: msgspec.Raw

    def made(self) -> tuple[FieldPath, Json]:
        """The field's place and its new value."""
        steps = (int(step) if step.isdigit() else step for step in self.pointer[1:].split("/"))
        return FieldPath(tuple(steps)), msgspec.json.decode(self.value)


class Said(msgspec.Struct):
    """A hint, as far as these tests need it."""

    name: str
    changes: tuple[Replaced, ...]


class ExplainedContainer(msgspec.Struct):
    hints: tuple[Said, ...]


class ExplainedPod(msgspec.Struct):
    containers: tuple[ExplainedContainer, ...]


class Explained(msgspec.Struct):
    pods: tuple[ExplainedPod, ...]


def _same(change: Change) -> Replaced:
    return Replaced(change.path.pointer, msgspec.Raw(msgspec.json.encode(json_of(change.value))))


def cured_by(text: str, hints: tuple[Said, ...]) -> str:
    """The manifest with the hints' changes made."""
    (document,) = decode_documents(text.encode(), "pod.yaml")
    changes = [change.made() for hint in hints for change in hint.changes]
    return msgspec.json.encode(changed(document, changes)).decode()


class Bench:
    """Where a manifest is run: `podward` with the odd image, and the host's directory that it may ask for."""

    def __init__(self, podward: Podward, directory: Path, known: Known, said: pytest.CaptureFixture[str]) -> None:
        self.podward = podward
        self.directory = directory
        self._known = known
        self._said = said

    def prepare(self, case: Case) -> str:
        """Make the host's directory; returns the manifest that leads there."""
        if case.host is not None:
            uid, gid, mode = case.host
            os.chown(self.directory, uid, gid)
            self.directory.chmod(mode)
        return case.text.replace(HOST_DIRECTORY, str(self.directory))

    def run(self, text: str, *options: str) -> subprocess.CompletedProcess[str]:
        return self.podward("run", *options, "-f", "-", stdin=text)

    def of(self, case: Case, *options: str) -> subprocess.CompletedProcess[str]:
        """What became of the case's own manifest, which is run once: its page shows it too."""
        asked = (case.path, options)
        if asked not in self._known:
            with self._file(self.prepare(case)) as file:
                result = self.podward("run", *options, "-f", file)
            shown = str(case.path.relative_to(PROJECT))
            result.stdout, result.stderr = (each.replace(file, shown) for each in (result.stdout, result.stderr))
            self._known[asked] = result
        return self._known[asked]

    @contextlib.contextmanager
    def _file(self, text: str) -> Iterator[str]:
        """A file with this text, for a while."""
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            yield file.name

    def hints(self, case: Case, text: str) -> tuple[Said, ...]:
        """What `podward explain` says by this rule; on facts alone where the API server refuses the Pod."""
        if name_of(case) in INVALID:
            world = World(node=case.node(NODE), validated=False)
            hints = [hint for facts in facts_of(text, world) for hint in RULES[case.rule](facts)]
            return tuple(Said(hint.name, tuple(_same(change) for change in hint.changes)) for hint in hints)
        # In this process: the answer is what matters here, and a start takes longer than it does.
        with self._file(text) as file:
            self._said.readouterr()
            commands.main(["explain", *case.options, "-o", "json", "-f", file])
        gc.enable()
        result = self._said.readouterr()
        assert result.out, result.err
        explained = msgspec.json.decode(result.out, type=Explained)
        containers = [container for pod in explained.pods for container in pod.containers]
        return tuple(hint for container in containers for hint in container.hints if hint.name == case.rule)

    @contextlib.contextmanager
    def beside(self, case: Case) -> Iterator[None]:
        """Keep the Pod that the case wants beside its own."""
        with contextlib.ExitStack() as cleanup:
            for name in case.promised("beside"):
                kept = self.podward("run", "--keep", "-f", str(HINTS / case.rule / "beside" / f"{name}.yaml"))
                cleanup.callback(self.podward, "rm", name)
                assert kept.returncode == 0, kept.stderr
                deadline = time.monotonic() + 60
                while self.podward("logs", name).stdout != "ready\n":
                    assert time.monotonic() < deadline
            yield


Known = dict[tuple[Path, tuple[str, ...]], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def known() -> Known:
    """What became of the manifests that were run already, with these options."""
    return {}


@pytest.fixture
def bench(
    odd_images: Path,
    podward: Podward,
    known: Known,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Bench]:
    assert podward.root == odd_images
    monkeypatch.setenv("PODWARD_ROOT", str(odd_images))
    # Not below pytest's own directory, which nobody but root may enter.
    with tempfile.TemporaryDirectory(prefix="podward-hints-") as directory:
        yield Bench(podward, Path(directory), known, capsys)


def check(case: Case, result: subprocess.CompletedProcess[str], before: str = "") -> None:
    """Compare with what the manifest's first lines promise of the run, or with `before` of the cured one."""
    shown = f"{result.stdout}\n{result.stderr}"
    for expected in case.promised(before or "prints"):
        assert re.search(expected, result.stdout, re.MULTILINE), shown
    for expected in case.promised(f"{before}-says" if before else "says"):
        assert re.search(expected, result.stderr, re.MULTILINE), shown


def check_others(bench: Bench, case: Case, text: str, word: str) -> None:
    """Run it with other runtimes' defaults."""
    for line in case.promised(word):
        runtime, _, expected = line.partition(" ")
        result = bench.run(text, "--runtime-defaults", runtime)
        assert re.search(expected, f"{result.stdout}\n{result.stderr}", re.MULTILINE), (runtime, result)


def runnable(kind: str) -> list[Case]:
    return [
        case for case in cases(kind) if case.rule not in {*NOT_HERE, SCHEMA_REFUSES} and name_of(case) not in NOT_HERE
    ]


@pytest.mark.parametrize("case", runnable("fail"), ids=name_of)
def test_a_failing_manifest_misbehaves_and_the_hint_cures_it(bench: Bench, case: Case) -> None:
    text = bench.prepare(case)
    with bench.beside(case):
        result = bench.of(case, *case.options)
        check(case, result)
        check_others(bench, case, text, "with")
        for code in case.promised("exit"):
            assert result.returncode == int(code), result.stderr
        hints = bench.hints(case, text)
        assert hints
        cured = cured_by(text, hints)
        again = bench.run(cured, *case.options)
        assert case.promised("cured") or case.promised("cured-says") or case.promised("cured-with")
        check(case, again, "cured")
        check_others(bench, case, cured, "cured-with")
        if case.promised("cured"):
            assert again.returncode == 0 or case.rule == "group-from-image", again.stderr
            for wrong in case.promised("says"):
                assert not re.search(wrong, again.stderr, re.MULTILINE), again.stderr
        assert bench.hints(case, cured) == ()


@pytest.mark.parametrize("case", runnable("pass"), ids=name_of)
def test_a_passing_manifest_works_and_gets_no_hint(bench: Bench, case: Case) -> None:
    text = bench.prepare(case)
    with bench.beside(case):
        result = bench.of(case, *case.options)
        check(case, result)
        check_others(bench, case, text, "with")
        assert result.returncode == int((case.promised("exit") or ["0"])[0]), result.stderr
        assert bench.hints(case, text) == ()


@pytest.mark.parametrize("case", [case for case in cases("fail") if case.rule == SCHEMA_REFUSES], ids=name_of)
def test_a_container_field_on_the_pod_is_refused_and_runs_on_the_container(bench: Bench, case: Case) -> None:
    result = bench.of(case)
    assert result.returncode == 2
    check(case, result)
    right = case.path.parents[1] / "pass" / case.path.name
    moved = bench.podward("run", "-f", str(right))
    assert moved.returncode == 0, moved.stderr
    check(Case(case.rule, right, right.read_text(encoding="utf-8")), moved)


def test_a_group_of_the_image_opens_a_directory_until_the_policy_is_strict(bench: Bench) -> None:
    """The harm that the hint warns of, seen in what may be read."""
    case = next(case for case in cases("fail") if name_of(case) == "group-from-image/member")
    assert AGNHOST in case.text
    text = bench.prepare(case)
    assert bench.run(text).returncode == 0
    strict = bench.run(cured_by(text, bench.hints(case, text)))
    assert strict.returncode == 1
    assert "ls: can't open '/data': Permission denied" in strict.stderr


def shown_commands() -> list[tuple[str, str, str]]:
    """Page, command and what the page says that it prints."""
    found = []
    for page in sorted((PROJECT / "docs" / "hints").glob("*.md")):
        for block in re.findall(r"^```console\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                found.append((page.stem, command, output))
    return found


@pytest.mark.parametrize(("page", "command", "output"), shown_commands(), ids=lambda value: str(value)[:60])
def test_a_page_shows_what_its_commands_print(bench: Bench, page: str, command: str, output: str) -> None:
    words = shlex.split(command)
    assert (words[:2], words[-2]) == (["podward", "run"], "-f"), page
    path = PROJECT / words[-1]
    case = Case(path.parts[-3], path, path.read_text(encoding="utf-8"))
    with bench.beside(case):
        result = bench.of(case, *words[2:-2])
    assert _told(f"{result.stdout}{result.stderr}") == _told(output)


def _told(text: str) -> tuple[list[str], list[str]]:
    """What the containers say and what podward says: the second may come before the first is at its end."""
    lines = _steady(text).splitlines()
    return [each for each in lines if "podward:" not in each], [each for each in lines if "podward:" in each]


def _steady(text: str) -> str:
    """Without what differs from run to run, or kernel to kernel: uids, a packet's time, SELinux that is missing."""
    text = re.sub(r"^podward: note: .* SELinux label .* is not enforced: .*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"\d+\.\d+", "…", re.sub(r"\([0-9a-f-]{36}\)", "(…)", text))
