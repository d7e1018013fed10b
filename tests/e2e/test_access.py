"""The access check of a container that does not run yet against the same container once it runs."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from podward_command import Podward

from podward.api.referenced_objects import NO_OBJECTS
from podward.cli import access, explain, explaining, inputs, subjects
from podward.cli.given_pods import pods_of
from podward.errors import RefusedError, UsageError

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci", "setfacl")

MANIFEST = """\
apiVersion: v1
kind: Pod
metadata: {{name: access}}
spec:
  restartPolicy: Never
  {pod}
  securityContext: {{runAsUser: 1000, runAsGroup: 1000, supplementalGroups: [3000]{context}}}
  containers:
  - name: c
    image: busybox:root
    command: [sh, -c, {script}]
    securityContext: {container}
    volumeMounts:
    - {{name: host, mountPath: /host}}
    - {{name: host, mountPath: /frozen, readOnly: true}}
    - {{name: host, mountPath: /deep/er, subPath: sub}}
    - {{name: host, mountPath: /made, subPath: not/there}}
    - {{name: empty, mountPath: /empty}}
    - {{name: memory, mountPath: /memory}}
  volumes:
  - {{name: host, hostPath: {{path: {host}, type: Directory}}}}
  - {{name: empty, emptyDir: {{}}}}
  - {{name: memory, emptyDir: {{medium: Memory}}}}
"""
VARIANTS = {
    "plain": ("", "", "{}"),
    "fs-group": ("", ", fsGroup: 2000", "{}"),
    "user-namespace": ("hostUsers: false", "", "{}"),
    "root-in-user-namespace": ("hostUsers: false", "", "{runAsUser: 0}"),
    "root": ("", "", "{runAsUser: 0}"),
    "root-without-capabilities": ("", "", "{runAsUser: 0, capabilities: {drop: [ALL]}}"),
    "read-only-root": ("", "", "{readOnlyRootFilesystem: true}"),
}
DIRECTORIES = (
    "/", "/etc", "/root", "/tmp", "/deep", "/deep/er", "/made", "/empty", "/memory", "/dev/shm",  # noqa: S108  # there
    "/host", "/frozen",
    "/host/open", "/host/closed", "/host/closed/below", "/host/group", "/host/listed", "/frozen/open", "/host/link",
    "/host/nobody",
)  # fmt: skip
FILES = ("/etc/passwd", "/etc/hostname", "/bin/sh", "/host/open/file", "/host/closed/below/file", "/host/listed/file")


@pytest.fixture
def host() -> Iterator[Path]:
    """A directory that the Pod's user may reach, with what the manifest's volumes show."""
    directory = Path(mkdtemp(prefix="podward-access-"))
    made = {
        "open": (0o777, 0, 0), "closed": (0o700, 0, 0), "closed/below": (0o777, 0, 0), "group": (0o2770, 0, 3000),
        "listed": (0o700, 0, 0), "nobody": (0o777, 200000, 200000), "sub": (0o750, 1000, 0),
    }  # fmt: skip
    for name, (mode, uid, gid) in made.items():
        (directory / name).mkdir()
        os.chown(directory / name, uid, gid)
        (directory / name).chmod(mode)
    for name in ("open/file", "closed/below/file", "listed/file"):
        (directory / name).write_text("x")
        (directory / name).chmod(0o644)
    (directory / "link").symlink_to("/etc")
    directory.chmod(0o755)
    subprocess.run(["setfacl", "-m", "u:1000:rwx,m::r-x", directory / "listed"], check=True)
    yield directory
    subprocess.run(["rm", "-rf", str(directory)], check=True)


def manifest(host: Path, variant: str, script: str = "''") -> str:
    pod, context, container = VARIANTS[variant]
    return MANIFEST.format(pod=pod, context=context, container=container, script=script, host=host)


class Answers:
    """A manifest, explained once."""

    def __init__(self, root: Path, tmp_path: Path, text: str) -> None:
        file = tmp_path / "pod.yaml"
        file.write_text(text)
        parser = argparse.ArgumentParser()
        explain.configure(parser)
        words = parser.parse_args(["-f", str(file)])
        (source,) = pods_of(inputs.documents([str(file)]))
        subject = subjects.subject(source, NO_OBJECTS)
        dry = explaining.dry_run(words)
        self._node = access.ExplainedNode(str(root), dry.node.runtime, "containerd")
        self._subject = subject
        self._explained = dry.explain(subject)

    def __call__(self, question: str, container: str | None = None) -> access.AccessReport:
        (report,) = access.explain_pod((question,), self._subject, self._explained, self._node, container)
        return report


def answer(root: Path, tmp_path: Path, text: str, question: str, container: str | None = None) -> access.AccessReport:
    return Answers(root, tmp_path, text)(question, container)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, images: Path) -> None:
    monkeypatch.setenv("PODWARD_ROOT", str(images))


def tries() -> Iterator[tuple[str, str]]:
    """Each question with the shell command whose success is the answer."""
    for place in DIRECTORIES:
        yield f"{place}:r", f"ls {place}/"
        yield f"{place}:w", f"mkdir {place}/zz && rmdir {place}/zz"
        yield f"{place}:x", f"cd {place}"
    for place in FILES:
        yield f"{place}:r", f"cat {place}"
        if place != "/bin/sh":  # a program that runs can't be written (ETXTBSY), whoever may
            yield f"{place}:w", f"true >> {place}"
        yield f"{place}:x", f"[ -x {place} ]"


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_foreseen_of_a_container_is_what_it_can_do(
    podward: Podward, images: Path, host: Path, tmp_path: Path, variant: str
) -> None:
    wanted = list(tries())
    answers = Answers(images, tmp_path, manifest(host, variant))
    foreseen = {q: answers(q).allowed for q, _ in wanted}
    lines = "; ".join(f"({command}) >/dev/null 2>&1 && echo {q} True || echo {q} False" for q, command in wanted)
    ran = podward("run", "-f", "-", stdin=manifest(host, variant, f'"{lines}"'))
    seen = {q: said == "True" for q, said in (line.split() for line in ran.stdout.splitlines())}
    assert len(seen) == len(wanted), ran.stderr
    assert {q: (foreseen[q], seen[q]) for q in seen if foreseen[q] != seen[q]} == {}
    assert True in foreseen.values()
    assert False in foreseen.values()


def test_a_remedy_for_a_host_path_cures_it(images: Path, host: Path, tmp_path: Path) -> None:
    report = answer(images, tmp_path, manifest(host, "plain"), "/host/closed:rw")
    assert not report.allowed
    commands = [m[1] for remedy in report.remedies for m in [re.search(r"`(setfacl [^`]*)`", remedy.sentence)] if m]
    subprocess.run(commands[0].split(), check=True)
    assert answer(images, tmp_path, manifest(host, "plain"), "/host/closed:rw").allowed


def test_a_group_that_has_access_is_offered(images: Path, host: Path, tmp_path: Path) -> None:
    text = manifest(host, "plain").replace("supplementalGroups: [3000]", "supplementalGroups: []")
    report = answer(images, tmp_path, text, "/host/group:rw")
    assert not report.allowed
    offered = [(str(remedy.field), remedy.value) for remedy in report.remedies if remedy.field]
    assert ("spec.securityContext.supplementalGroups", 3000) in offered
    assert answer(images, tmp_path, manifest(host, "plain"), "/host/group:rw").allowed


def test_the_report_names_the_rule_and_the_manual_that_says_so(images: Path, host: Path, tmp_path: Path) -> None:
    said = access.text(answer(images, tmp_path, manifest(host, "plain"), "/host/listed:w"), width=1000)
    assert "c: /host/listed:w denied" in said
    assert "has the entry user:1000:rwx, of which the mask (r-x) leaves r-x" in said
    assert "named user, acl(5)" in said
    assert "the process is uid 1000, groups 1000 3000" in said


def test_no_name_in_a_volume_speaks_to_the_terminal_and_lines_keep_their_width(
    images: Path, host: Path, tmp_path: Path
) -> None:
    (host / "\033[31m\nred").mkdir(0o700)
    said = access.text(answer(images, tmp_path, manifest(host, "plain"), "/host/\033[31m\nred:rw"), 80)
    assert "\033" not in said
    assert all(line.startswith("  ") for line in said.splitlines()[1:])
    said = access.text(answer(images, tmp_path, manifest(host, "plain"), "/host/closed:rw"), 80)
    assert max(len(line) for line in said.splitlines() if line.startswith(("  why:", "       "))) <= 80


def test_a_container_that_would_not_run_has_no_access(images: Path, host: Path, tmp_path: Path) -> None:
    text = manifest(host, "plain").replace("runAsUser: 1000", "runAsUser: 0, runAsNonRoot: true")
    with pytest.raises(RefusedError, match="would not run"):
        answer(images, tmp_path, text, "/:r")
    with pytest.raises(UsageError, match="no container"):
        answer(images, tmp_path, manifest(host, "plain"), "/:r", "nope")


@pytest.mark.parametrize("question", ["/data", "/data:", "/data:q", "data:r", "", ":r", "/a\0b:r"])
def test_a_question_of_another_shape_is_a_usage_error(question: str) -> None:
    with pytest.raises(UsageError):
        access.parse(question)


def test_a_path_may_hold_colons_and_letters_come_in_any_order() -> None:
    assert access.parse("/a:b:wr") == ("/a:b", "rw")
