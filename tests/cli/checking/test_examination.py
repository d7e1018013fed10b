"""Many files: the same answer by one process, by several, and from the cache; a worker that fails is an error."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from podward.api.explanation import Change
from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.report import CheckedWorkload
from podward.check import wire
from podward.check.policy_set import PolicySet
from podward.cli.checking import cache as caching
from podward.cli.checking import examination, reading
from podward.cli.checking import workers as processes
from podward.cli.checking.cache import NO_CACHE, Cache
from podward.cli.checking.examination import ExaminedFiles, examine
from podward.cli.checking.policies import CheckOptions
from podward.cli.checking.reading import ManifestFile
from podward.cli.checking.workers import Channel, WorkerError, Workers
from podward.errors import UsageError
from podward.path import Key, path
from podward.schema.pod_kinds import PodKinds

POD = """apiVersion: v1
kind: Pod
metadata:
  name: pod-{number}
  namespace: team-{team}
  annotations:
    check.podward.dev/waive: "pss/runAsNonRoot until 2099-01-01: an old image, number {number}"
spec:
  containers:
  - name: app
    image: registry.example.com/app:1
"""
NAMESPACE = """apiVersion: v1
kind: Namespace
metadata: {{name: team-{team}, labels: {{pod-security.kubernetes.io/enforce: {level}}}}}
"""
WISHES = CheckOptions()


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, ...]:
    """A hundred Pods of four teams; the teams' Namespaces stand in files of several shares, one of them twice."""
    made = []
    for number in range(100):
        file = tmp_path / f"{number:03d}.yaml"
        file.write_text(POD.format(number=number, team=number % 4))
        made.append(str(file))
    contents = {
        "ns-a.yaml": NAMESPACE.format(team=0, level="privileged"),
        "ns-b.yaml": NAMESPACE.format(team=1, level="baseline")
        + "---\n"
        + NAMESPACE.format(team=0, level="restricted"),
        "ns-c.yaml": "apiVersion: v1\nkind: List\nitems:\n- "
        + NAMESPACE.format(team=2, level="privileged").replace("\n", "\n  "),
        "broken.yaml": "kind: Pod\nspec: [\n",
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    return (*made, *(str(tmp_path / name) for name in contents), str(tmp_path / "missing.yaml"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Cache]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache-home"))
    return lambda: caching.open_cache(b"wishes")


def told(examined: ExaminedFiles) -> bytes:
    """All of it as reports would tell it: a change's list may be a tuple before it went over a pipe."""
    return msgspec.json.encode(examined)


def refused(examined: ExaminedFiles) -> set[str]:
    return {finding.subject.namespace for finding in examined.findings if finding.rule.startswith("pss/")}


def test_policies_of_every_file_count_for_every_file(files: tuple[str, ...]) -> None:
    found = examine(files, WISHES, processes=1)
    # Only team 3 has no Namespace, so it is held to `restricted`; `baseline` has nothing against these Pods.
    assert refused(found) == {"team-3"}
    assert {(finding.rule, finding.severity) for finding in found.findings if "ns-b" in finding.file} == {
        ("input/schema", Severity.WARNING),  # the second Namespace of team 0
        ("policy/lowered", Severity.NOTE),
    }


@pytest.mark.parametrize("count", [2, 3, 7])
def test_several_processes_answer_what_one_does(files: tuple[str, ...], count: int) -> None:
    assert told(examine(files, WISHES, processes=count)) == told(examine(files, WISHES, processes=1))


@pytest.mark.parametrize("count", [1, 2])
def test_the_cache_answers_what_was_judged(files: tuple[str, ...], count: int, cache: Callable[[], Cache]) -> None:
    fresh = told(examine(files, WISHES, NO_CACHE, processes=count))
    assert told(examine(files, WISHES, cache(), processes=count)) == fresh
    warm = cache()
    assert warm
    assert told(examine(files, WISHES, warm, processes=count)) == fresh


def test_what_the_cache_knows_is_not_judged_again(
    files: tuple[str, ...], cache: Callable[[], Cache], monkeypatch: pytest.MonkeyPatch
) -> None:
    examine(files, WISHES, cache(), processes=1)
    judged: list[str] = []
    outcome = examination.judge_files

    def watched(some: Sequence[ManifestFile], held: PolicySet) -> wire.FileFindings:
        judged.extend(file.name for file in some)
        return outcome(some, held)

    monkeypatch.setattr(examination, "judge_files", watched)
    Path(files[7]).write_text(POD.format(number=1007, team=3))
    examine(files, WISHES, cache(), processes=1)
    assert judged == [files[7], files[-1]]  # what changed, and what cannot be read


def test_another_policy_counts_for_files_that_have_not_changed(
    files: tuple[str, ...], cache: Callable[[], Cache]
) -> None:
    assert refused(examine(files, WISHES, cache(), processes=2)) == {"team-3"}
    namespace = next(name for name in files if name.endswith("ns-a.yaml"))
    Path(namespace).write_text(NAMESPACE.format(team=0, level="restricted"))
    changed = examine(files, WISHES, cache(), processes=2)
    assert refused(changed) == {"team-0", "team-3"}
    assert told(changed) == told(examine(files, WISHES, NO_CACHE, processes=1))


def test_what_is_wrong_with_the_words_ends_all_processes(
    files: tuple[str, ...], children: Callable[[], list[int]]
) -> None:
    with pytest.raises(UsageError, match="no SCC nobody"):
        examine(files, CheckOptions(scc=("nobody",)), processes=3)
    assert children() == []


def test_a_worker_that_is_killed_is_an_error(
    files: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, children: Callable[[], list[int]]
) -> None:
    parent = os.getpid()
    read = reading.parse_file

    def deadly(content: bytes, name: str, kinds: PodKinds) -> object:
        if os.getpid() != parent and name.endswith("051.yaml"):
            os.kill(os.getpid(), signal.SIGKILL)
        return read(content, name, kinds)

    monkeypatch.setattr(examination, "parse_file", deadly)
    with pytest.raises(WorkerError, match="ended early"):
        examine(files, WISHES, processes=2)
    assert children() == []


def test_a_worker_with_a_defect_is_an_error(
    files: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    children: Callable[[], list[int]],
) -> None:
    parent = os.getpid()
    judged = examination.judge_files

    def broken(*words: object) -> object:
        if os.getpid() != parent:
            raise RuntimeError("a defect")
        return judged(*words)  # type: ignore[arg-type]  # what it was given

    monkeypatch.setattr(examination, "judge_files", broken)
    with pytest.raises(WorkerError):
        examine(files, WISHES, processes=2)
    assert "RuntimeError: a defect" in capfd.readouterr().err
    assert children() == []


def test_an_interrupt_leaves_no_process(
    files: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, children: Callable[[], list[int]]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(examination, "held_to", interrupted)
    with pytest.raises(KeyboardInterrupt):
        examine(files, WISHES, processes=3)
    assert children() == []


def test_where_no_process_can_be_made_one_does_all(files: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    alone = told(examine(files, WISHES, processes=1))

    def none(*_: object) -> Channel:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(Workers, "start", none)
    assert told(examine(files, WISHES, processes=4)) == alone


def test_a_worker_that_says_all_and_then_fails_is_an_error(children: Callable[[], list[int]]) -> None:
    def work(channel: Channel) -> None:
        channel.send(b"all")
        os._exit(3)

    with Workers() as workers:
        channel = workers.start(work)
        assert channel.receive() == b"all"
        with pytest.raises(WorkerError, match="failed"):
            workers.finish()
    assert children() == []


def test_long_messages_come_whole(children: Callable[[], list[int]]) -> None:
    def echo(channel: Channel) -> None:
        channel.send(channel.receive()[::-1])

    message = bytes(range(256)) * 20_000
    with Workers() as workers:
        channel = workers.start(echo)
        channel.send(message)
        assert channel.receive() == message[::-1]
        workers.finish()
    assert children() == []


def test_a_worker_without_parent_is_told_so(children: Callable[[], list[int]]) -> None:
    def work(channel: Channel) -> None:
        channel.receive()

    with Workers() as workers:
        workers.start(work)  # and nothing is sent: leaving ends it
    assert children() == []


def test_outcomes_and_policies_survive_the_wire(files: tuple[str, ...]) -> None:
    found = examine(files, WISHES, processes=1)
    assert any(finding.changes for finding in found.findings)
    assert found.waivers
    for name in found.names:
        mine = wire.FileFindings(
            tuple(each for each in found.findings if each.file == name),
            tuple(each for each in found.waivers if each.waiver.file == name),
            tuple(each for each in found.workloads if each.file == name),
        )
        data = wire.file_findings_bytes(mine)
        again = wire.file_findings(data, name)
        assert msgspec.json.encode(again) == msgspec.json.encode(mine)
        assert wire.file_findings_bytes(again) == data


def test_nothing_of_a_finding_is_forgotten_on_the_wire() -> None:
    about = WorkloadRef("Pod", "team", "web", "app")
    change = Change(path("spec", Key("a.b"), 0), {"a": [1, None, "x"]})
    values: dict[str, object] = {
        "rule": "hint/x", "severity": Severity.NOTE, "file": "a.yaml", "line": 7, "document": 3,
        "path": path("metadata", "annotations", Key("x/y")), "subject": about, "message": "m", "policy": "p",
        "remedy": "r", "changes": (change,),
    }  # fmt: skip
    assert set(values) == set(Finding.__struct_fields__)  # a new field is to be added to the wire, and here
    finding = Finding(**values)  # type: ignore[arg-type]  # their types are those above
    sent = wire.FileFindings((finding,), (), (CheckedWorkload("a.yaml", about),))
    assert wire.file_findings(wire.file_findings_bytes(sent), "a.yaml") == sent


def test_policies_keep_their_places_on_the_wire(files: tuple[str, ...]) -> None:
    name = next(name for name in files if name.endswith("ns-c.yaml"))
    (item,) = reading.parse_file(Path(name).read_bytes(), name).policies
    (again,) = wire.policies(wire.policies_bytes((item,)), name)
    assert (again.raw, again.kind, again.api_version, again.at) == (item.raw, item.kind, item.api_version, item.at)
    for place in (path(), path("metadata"), path("metadata", "name"), path("spec", "nothing"), path("kind")):
        assert again.where(place) == item.where(place)
    assert again.where(path("metadata", "labels")) == f"{name}:6"


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x93\x90\x90", b"\x90", b"\x93\x91\x01\x90\x90"])
def test_other_bytes_are_no_outcome(data: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.file_findings(data, "x.yaml")


def test_a_worker_at_work_is_ended_at_once(children: Callable[[], list[int]]) -> None:
    start = time.monotonic()
    with Workers() as workers:
        workers.start(lambda _: time.sleep(60))
    assert time.monotonic() - start < 10
    assert children() == []


def test_leftover_processes_would_be_seen(children: Callable[[], list[int]]) -> None:
    with processes.Workers() as workers:
        workers.start(lambda channel: channel.close())
        assert len(children()) == 1
