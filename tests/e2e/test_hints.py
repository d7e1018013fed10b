"""Each failing manifest of tests/corpus/hints misbehaves when it runs, and the changes of its hint cure it.

The hints are made from what the image store and the disk really hold, and the kernel is the witness of both runs. What
the pages of docs/hints show is compared with what the commands print.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hint_corpus import AGNHOST, HINTS, HOST_DIRECTORY, ODD_IMAGE, Case, cases, name_of
from hint_facts import World, changed, facts_of

from podward.api.explanation import Hint
from podward.api.image import EntryFile, Image
from podward.api.oci import RuntimeSpec
from podward.api.reader import decode_documents
from podward.policy.hints.all import RULES
from podward.runtime import machine
from podward.runtime.entry import find_entry
from podward.runtime.images.building import build
from podward.runtime.images.store import ImageStore

from .conftest import PROJECT, Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")
SCHEMA_REFUSES = "container-field-on-pod"
NOT_HERE = {"token-not-readable", "empty-object-wipes-pod-value/selinux"}
"""What no single machine without API server, or without SELinux, can show: tests/policy/hints does, on facts."""
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


class Bench:
    """Where a manifest is run: `podward` with the odd image, and the host's directory that it may ask for."""

    def __init__(self, podward: Podward, directory: Path) -> None:
        self.podward = podward
        self.directory = directory
        self._store = ImageStore(str(podward.root))

    def prepare(self, case: Case) -> str:
        """Make the host's directory; returns the manifest that leads there."""
        if case.host is not None:
            uid, gid, mode = case.host
            os.chown(self.directory, uid, gid)
            self.directory.chmod(mode)
        return case.text.replace(HOST_DIRECTORY, str(self.directory))

    def run(self, text: str, *options: str) -> subprocess.CompletedProcess[str]:
        return self.podward("run", *options, "-f", "-", stdin=text)

    def hints(self, case: Case, text: str, shared_uids: tuple[int, ...]) -> tuple[Hint, ...]:
        world = World(
            image=lambda name: self._store.load(self._store.resolve(name)),
            entry=self._entry,
            node=case.node(machine.gather()),
            volumes=case.volumes(),
            shared_uids=shared_uids,
            validated=False,
        )
        return tuple(hint for facts in facts_of(text, world) for hint in RULES[case.rule](facts))

    def _entry(self, image: Image, spec: RuntimeSpec) -> EntryFile | None:
        search = next(word[5:] for word in spec.process.env if word.startswith("PATH="))
        return find_entry(self._store.resolve(image.name).rootfs, spec.process.args[0], search, spec.process.cwd)

    @contextlib.contextmanager
    def beside(self, case: Case) -> Iterator[tuple[int, ...]]:
        """Run the Pod that the case wants beside its own; yields the uids of its processes."""
        with contextlib.ExitStack() as cleanup:
            uids = []
            for name in case.promised("beside"):
                process = self.podward.start("run", "-f", str(HINTS / case.rule / "beside" / f"{name}.yaml"))
                cleanup.callback(self.podward.interrupt, process, signal.SIGTERM)
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
                children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
                uids += [os.stat(f"/proc/{child}").st_uid for child in children.split()]
            yield tuple(uid for uid in uids if uid)


@pytest.fixture
def bench(odd_images: Path, podward: Podward) -> Iterator[Bench]:
    assert podward.root == odd_images
    # Not below pytest's own directory, which nobody but root may enter.
    with tempfile.TemporaryDirectory(prefix="podward-hints-") as directory:
        yield Bench(podward, Path(directory))


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
    with bench.beside(case) as shared:
        result = bench.run(text, *case.options)
        check(case, result)
        check_others(bench, case, text, "with")
        for code in case.promised("exit"):
            assert result.returncode == int(code), result.stderr
        hints = bench.hints(case, text, shared)
        assert hints
        raw = changed(decode_documents(text.encode(), case.path.name)[0], hints)
        cured = msgspec.json.encode(raw).decode()
        again = bench.run(cured, *case.options)
        assert case.promised("cured") or case.promised("cured-says") or case.promised("cured-with")
        check(case, again, "cured")
        check_others(bench, case, cured, "cured-with")
        if case.promised("cured"):
            assert again.returncode == 0 or case.rule == "group-from-image", again.stderr
            for wrong in case.promised("says"):
                assert not re.search(wrong, again.stderr, re.MULTILINE), again.stderr


@pytest.mark.parametrize("case", runnable("pass"), ids=name_of)
def test_a_passing_manifest_works_and_gets_no_hint(bench: Bench, case: Case) -> None:
    text = bench.prepare(case)
    with bench.beside(case) as shared:
        result = bench.run(text, *case.options)
        check(case, result)
        check_others(bench, case, text, "with")
        assert result.returncode == int((case.promised("exit") or ["0"])[0]), result.stderr
        assert bench.hints(case, text, shared) == ()


@pytest.mark.parametrize("case", [case for case in cases("fail") if case.rule == SCHEMA_REFUSES], ids=name_of)
def test_a_container_field_on_the_pod_is_refused_and_runs_on_the_container(bench: Bench, case: Case) -> None:
    result = bench.run(case.text)
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
    raw = changed(decode_documents(text.encode(), "pod.yaml")[0], bench.hints(case, text, ()))
    strict = bench.run(msgspec.json.encode(raw).decode())
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
    assert words[:2] == ["podward", "run"], page
    path = PROJECT / words[-1]
    case = Case(path.parts[-3], path, path.read_text(encoding="utf-8"))
    copy = bench.directory.parent / f"{bench.directory.name}.yaml"
    copy.write_text(bench.prepare(case), encoding="utf-8")
    try:
        with bench.beside(case):
            result = bench.podward(*words[1:-1], str(copy))
    finally:
        copy.unlink()
    printed = f"{result.stdout}{result.stderr}".replace(str(copy), words[-1])
    assert re.sub(r"\([0-9a-f-]{36}\)", "(…)", printed) == output
