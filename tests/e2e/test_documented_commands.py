"""Every command that the README, a page of docs or a --help shows is one that podward understands, and that works.

Those of `console` blocks are test_pages.py's, which compares their output. A sandbox has the files that others name.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from podward_command import PROJECT, Podward
from warm_command import run

from podward.cli import main as commands

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci", "git")

KEPT = re.compile(r"podward (run .*--keep|exec|logs|port-forward|rm web|explain pod/web)\b")
"""Commands about Pods that are kept or a cluster's: cases/test_kept_pods.py and node/test_identities.py try them."""
SERVING = {
    "podward apiserver ": ("--secure-port 0", "ready at"),
    "podward cri ": ("--listen ./cri.sock", "listens on"),
    "podward serve ": ("--nodes 0 --data-dir ./served --secure-port 0", "ready at"),
}
"""What begins so serves until it is ended; where it is to serve in a test, and what it says when it does."""
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
HELPED = ("run", "explain", "check", "admit", "diff", "batch", "ps", "rm", "doctor", "completion")
"""The commands whose --help is asked; `image` needs registries and archives."""

POD = """apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  restartPolicy: Never
  securityContext: {seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: web
    image: busybox:root
    command: [sh, -c, "id; touch /data/x"]
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, emptyDir: {}}]
"""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "busybox:root", command: [id]}]
"""
NAMESPACE = """apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels: {pod-security.kubernetes.io/enforce: baseline}
  annotations:
    openshift.io/sa.scc.uid-range: 1000230000/10000
    openshift.io/sa.scc.supplemental-groups: 1000230000/10000
    openshift.io/sa.scc.mcs: s0:c15,c10
"""
SCC = """apiVersion: security.openshift.io/v1
kind: SecurityContextConstraints
metadata: {name: ours}
allowPrivilegedContainer: false
allowHostDirVolumePlugin: false
fsGroup: {type: RunAsAny}
runAsUser: {type: RunAsAny}
seLinuxContext: {type: RunAsAny}
supplementalGroups: {type: RunAsAny}
volumes: [configMap, emptyDir, projected, secret]
groups: ["system:authenticated"]
"""
ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
"""
FILES = {
    "rbac/reader.yaml": ROLE,
    "pod.yaml": POD,
    "before.yaml": POD,
    "after.yaml": POD.replace("RuntimeDefault", "Unconfined"),
    "A.yaml": POD,
    "B.yaml": POD.replace("RuntimeDefault", "Unconfined"),
    "deployment.yaml": DEPLOYMENT,
    "more/pod.yaml": POD.replace("name: web,", "name: more,"),
    "deploy/pod.yaml": POD,
    "deploy/web.yaml": DEPLOYMENT,
    "deploy/scc.yaml": SCC,
    "ns.yaml": NAMESPACE,
    "namespace.yaml": NAMESPACE,
    "my-scc.yaml": SCC,
    "new-scc.yaml": SCC,
    "sccs/ours.yaml": SCC,
    "old-sccs/ours.yaml": SCC,
    "new-sccs/ours.yaml": SCC.replace("false", "true"),
    "policies/shop.yaml": NAMESPACE + "---\n" + SCC,
    "gate/podward.toml": '[check]\nlevel = "restricted"\n',
    "gate/policies/shop.yaml": NAMESPACE,
    "now.yaml": NAMESPACE,
    "cluster.yaml": NAMESPACE,
    "questions.jsonl": '{"id": 1}\n',
    "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
    "kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [pod.yaml]\n",
}
WORDS = {
    "PATH…": "deploy/",
    "PATH": "spec.securityContext",
    "FILE": "known.json",
    "OLD": "restricted",
    "NEW": "new-scc.yaml",
}
"""What stands for the words that a synopsis leaves open."""
TOOLS = {
    "helm": "cat pod.yaml",
    "kustomize": "cat pod.yaml",
    "oc": "cat now.yaml",
    "kubectl": 'case "$*" in *scc*) cat now.yaml;; *) cat deployment.yaml;; esac',
    "sudo": 'exec "$@"',
}


def command_of(line: str) -> str:
    """The line without the words that explain it."""
    return re.split(r"\s{2,}|\s+# ", line.strip())[0]


def variants(command: str) -> list[str]:
    """The command once for each of `a|b|c`, which is no pipe where no blank stands around it."""
    found = re.search(r"(?<=\s)[a-z]+(?:\|[a-z]+)+(?=\s|$)", command)
    if not found:
        return [command]
    return [command.replace(found.group(), word) for word in found.group().split("|")]


def with_words(command: str) -> str:
    return " ".join(WORDS.get(word, word) for word in command.split(" "))


def shown() -> list[tuple[str, str]]:
    """Every command of an indented block or of one marked `sh`, with its page."""
    found = []
    for page in PAGES:
        text = re.sub(r"^```(?!sh\n).*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        lines = [line for line in text.splitlines() if re.search(r"(^|[|&(;] *|sudo )podward ", command_of(line))]
        for line in lines:
            if KEPT.search(line):
                continue
            if line.startswith(("    ", "podward ", "helm ", "kustomize ", "kubectl ")):
                found += [(page.name, with_words(each)) for each in variants(command_of(line))]
    return found


def different() -> list[tuple[str, str]]:
    """Each of them once, with the first of its pages."""
    found: dict[str, str] = {}
    for page, command in shown():
        found.setdefault(command, page)
    return [(page, command) for command, page in found.items()]


def helped() -> list[tuple[str, str]]:
    """Every command below `examples:` of a --help."""
    found = []
    for name in HELPED:
        asked = run(name, "--help").stdout
        lines = [line.strip() for line in asked.partition("examples:")[2].splitlines()]
        found += [(f"{name} --help", line) for line in lines if re.search(r"(^|[|;] *)podward ", line)]
    return found


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory, images: Path) -> Path:
    """A directory, under git, with the files that the commands name, and tools that stand in for a cluster."""
    place = tmp_path_factory.mktemp("sandbox") / "work"
    for name, text in FILES.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (place / "examples").symlink_to(PROJECT / "examples")
    command = Podward(images)
    (place / "known.json").write_bytes(b"")
    command("check", "deploy/", "--write-baseline", "known.json", cwd=str(place))
    command("check", "deploy/", "--write-baseline", "podward-baseline.json", cwd=str(place))
    tools = place.parent / "bin"
    tools.mkdir()
    podward = f'exec "{sys.executable}" -m podward "$@"'
    for name, script in {**TOOLS, "podward": podward}.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
        (tools / name).chmod(0o755)
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    begin = (("init", "-q", "-b", "main"), ("add", "policies", "deploy"), (*identity, "commit", "-q", "-m", "x"))
    for words in (*begin, ("checkout", "-q", "-b", "work")):
        subprocess.run(["git", *words], cwd=place, check=True, env=_git_environment())
    return place


def _git_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def ran(podward: Podward, sandbox: Path, command: str) -> subprocess.CompletedProcess[str]:
    path = f"{sandbox.parent / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=sandbox,
        env={**_git_environment(), **podward.environment, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("page", "command"), different(), ids=lambda value: re.sub(r"[^\w.=-]+", "-", value))
def test_a_command_of_a_page_works(podward: Podward, sandbox: Path, page: str, command: str) -> None:
    for beginning, (place, said) in SERVING.items():
        if command.startswith(beginning):
            served = f"exec 3< <(exec {command} {place}); grep -m 1 '{said}' <&3; kill $!; wait $! || :"
            assert said in ran(podward, sandbox, served).stdout
            return
    done = ran(podward, sandbox, command)
    assert done.returncode in {0, 1}, f"{page}: {command}\n{done.stderr}"
    assert "unrecognized arguments" not in done.stderr


def test_the_commands_of_every_help_work(podward: Podward, sandbox: Path) -> None:
    failed = {}
    tried = {command for _, command in different()}
    for page, command in helped():
        if KEPT.search(command) or command in tried:
            continue
        done = ran(podward, sandbox, command.replace("rm implicit-groups", "rm --all"))
        if done.returncode not in {0, 1}:
            failed[f"{page}: {command}"] = done.stderr
    assert failed == {}


def test_there_are_commands_to_run() -> None:
    assert len(shown()) > 40
    assert {page for page, _ in shown()} >= {"README.md", "check.md", "explain.md", "run.md", "admit.md"}


def test_no_page_installs_what_is_not_published() -> None:
    pages = [*PAGES, PROJECT / "CONTRIBUTING.md"]
    told = [
        f"{page.name}:{number}"
        for page in pages
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"pip install (--quiet )?podward\b", line)
    ]
    assert told == []


def test_the_readme_says_of_the_demo_what_the_demo_does(podward: Podward) -> None:
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    demo = (PROJECT / "tools" / "demo").read_text(encoding="utf-8")
    manifests = re.findall(r"examples/[\w.-]+\.yaml", demo)
    ends = [podward("run", "--verify", "-f", str(PROJECT / name)).returncode for name in manifests]
    assert len(ends) == 2
    assert ("second Pod is refused" in text) == (ends[1] != 0)


def test_the_readme_does_not_call_the_whole_suite_quick() -> None:
    text = " ".join((PROJECT / "README.md").read_text(encoding="utf-8").split())
    assert "Both are quick" not in text


def test_the_compare_example_compares_what_it_says(podward: Podward, sandbox: Path) -> None:
    """It speaks of a policy change to everything you run: something must be able to come out."""
    subprocess.run(["git", "checkout", "-q", "deploy"], cwd=sandbox, check=True)  # another command has mended it
    (command,) = [command for page, command in shown() if page == "README.md" and "--compare" in command]
    done = ran(podward, sandbox, command)
    assert done.returncode in {0, 1}, done.stderr
    assert "0 workloads" not in done.stdout
    old, new = re.findall(r"--compare (\S+) (\S+)", command)[0]
    if new.endswith((".yaml", "/")):
        assert old == "openshift" or old.endswith((".yaml", "/")), f"{new} is beside OpenShift's own SCCs, {old} alone"


def test_every_command_has_a_page_or_a_help() -> None:
    told = " ".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in commands.COMMANDS if f"podward {name}" not in told and name not in HELPED] == []
