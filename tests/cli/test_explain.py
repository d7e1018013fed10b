"""`podward explain` as a user calls it, on real images, with nothing run unless it is asked for."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from prepared_images import with_example_images
from warm_command import run

PROJECT = Path(__file__).parent.parent.parent
EXAMPLES = sorted((PROJECT / "examples").glob("*.yaml"))
SCHEMA = json.loads((PROJECT / "docs" / "schema" / "explain.schema.json").read_text(encoding="utf-8"))
GROUPS = PROJECT / "examples" / "03-implicit-groups.yaml"
NOBODY = 65534

pytestmark = pytest.mark.needs("root", "busybox", "umoci")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with the examples' images."""
    return with_example_images(tmp_path_factory)


class Explain:
    """The command in a state directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(
        self, *words: str | Path, stdin: str = "", columns: int = 100, user: int | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "PODWARD_ROOT": str(self.root), "COLUMNS": str(columns), **more}
        return run("explain", *map(str, words), environment=variables, stdin=stdin, user=user)

    def json(self, *words: str | Path, code: int = 0, stdin: str = "") -> Any:  # noqa: ANN401  # JSON
        ran = self(*words, "-o", "json", stdin=stdin)
        assert ran.returncode == code, ran.stderr
        return json.loads(ran.stdout)


@pytest.fixture
def explain(root: Path) -> Iterator[Explain]:
    """The command; a dry run leaves nothing behind."""
    yield Explain(root)
    for place in ("pods", "oci"):
        assert not (root / place).exists() or list((root / place).rglob("*.json")) == []
        assert (
            not (root / place).exists() or [p for p in (root / place).iterdir() if p.name not in {"crun", "runc"}] == []
        )


def container(document: Any, name: str) -> Any:  # noqa: ANN401  # JSON
    return next(c for pod in document["pods"] for c in pod["containers"] if c["name"] == name)


def assignments(document: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # JSON
    for pod in document["pods"]:
        for stage in (*pod["stages"], *(s for c in pod["containers"] for s in c["stages"])):
            for made in (*stage["assignments"], *stage["refusals"]):
                yield stage["stage"], made


def test_a_group_of_the_image_is_shown_with_its_line_before_anything_runs(explain: Explain) -> None:
    table = explain("-f", GROUPS).stdout
    (line,) = [line for line in table.splitlines() if line.split()[:1] == ["50000"]]
    assert "agnhost:2.45 /etc/group:6" in line
    assert line.endswith("3000 4000 50000")
    assert not (explain.root / "pods").exists()


def test_an_added_capability_without_effect_is_told(explain: Explain) -> None:
    found = explain.json("-f", PROJECT / "tests" / "e2e" / "scenarios" / "capabilities" / "net-admin.yaml")
    user = container(found, "user-with-net-admin")
    hints = {h["name"]: h["problem"] for h in user["hints"]}
    assert "will not have it" in hints["capability-without-root"]
    assert user["predicted"]["cap_effective"] == 0
    assert container(found, "root-with-net-admin")["predicted"]["cap_effective"] & 1 << 12


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize("manifest", EXAMPLES, ids=lambda path: path.stem)
def test_tables_fit_their_terminal(explain: Explain, manifest: Path, columns: int) -> None:
    ran = explain("-f", manifest, columns=columns)
    assert ran.stderr == ""
    assert "\x1b" not in ran.stdout
    too_wide = [line for line in ran.stdout.splitlines() if len(line) > columns]
    assert too_wide == []


@pytest.mark.parametrize("manifest", EXAMPLES, ids=lambda path: path.stem)
def test_json_follows_its_schema_and_every_value_has_a_source(explain: Explain, manifest: Path) -> None:
    ran = explain("-f", manifest, "-o", "json")
    found = json.loads(ran.stdout)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(found, SCHEMA)
    for stage, made in assignments(found):
        source = made["source"]
        assert source["name"], (stage, made)
        if source["origin"] == "manifest":
            assert source["name"] == str(manifest)
            assert source["line"] >= 1


def test_yaml_says_what_json_says(explain: Explain) -> None:
    import yaml

    said = yaml.safe_load(explain("-f", GROUPS, "-o", "yaml").stdout)
    assert said == explain.json("-f", GROUPS)


@pytest.mark.parametrize(
    ("field", "before", "after"),
    [("uid", "runAsUser: 1000", "runAsUser: 1001"), ("gid", "runAsGroup: 3000", "runAsGroup: 3001"),
     ("groups", "[4000]", "[4001]"), ("no_new_privs", "Escalation: false", "Escalation: true")],
)  # fmt: skip
def test_changing_the_line_that_is_named_changes_the_value(
    explain: Explain, tmp_path: Path, field: str, before: str, after: str
) -> None:
    text = GROUPS.read_text(encoding="utf-8")
    (number,) = [n for n, line in enumerate(text.splitlines(), 1) if before in line]
    found = explain.json("-f", GROUPS)
    places = {"uid": "process.user.uid", "gid": "process.user.gid", "groups": "process.user.additionalGids[1]",
              "no_new_privs": "process.noNewPrivileges"}  # fmt: skip
    oci = next(s for s in container(found, "ctr")["stages"] if s["stage"] == "oci")
    (decided,) = [a for a in oci["assignments"] if a["path"] == places[field]]
    assert decided["source"]["line"] == number
    changed = tmp_path / "changed.yaml"
    changed.write_text(text.replace(before, after), encoding="utf-8")
    now = container(explain.json("-f", changed), "ctr")["predicted"]
    assert now[field] != container(found, "ctr")["predicted"][field]


def test_field_narrows_to_what_the_field_decides(explain: Explain) -> None:
    table = explain("-f", GROUPS, "--field", "spec.securityContext.supplementalGroups").stdout
    rows = [line.split()[0] for line in table.splitlines() if line[:1].isalpha()]
    assert "groups" in rows
    assert "user" not in rows
    found = explain.json("-f", GROUPS, "--field", "spec.containers[0].securityContext")
    made = [made for _, made in assignments(found)]
    assert made
    assert all(m["source"]["path"].startswith("spec.containers[0].securityContext") for m in made)


def test_a_field_that_no_manifest_has_is_a_usage_error(explain: Explain) -> None:
    ran = explain("-f", GROUPS, "--field", "spec.containers[7]")
    assert ran.returncode == 2
    assert "spec.containers[7]" in ran.stderr


def test_the_field_of_a_template_may_be_named_as_the_pods(explain: Explain) -> None:
    ran = explain("-f", PROJECT / "examples" / "14-job.yaml", "--field", "spec.containers[0]", "-o", "json")
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["pods"][0]["kind"] == "Job"


def test_a_refusal_is_shown_with_its_line_and_the_stages_up_to_it(explain: Explain) -> None:
    manifest = PROJECT / "examples" / "05-non-root-refused.yaml"
    ran = explain("-f", manifest)
    assert ran.returncode == 1
    (number,) = [n for n, x in enumerate(manifest.read_text(encoding="utf-8").splitlines(), 1) if "runAsNonRoot:" in x]
    shown = " ".join(ran.stdout.split())
    assert "image will run as root" in shown
    assert f"{manifest}:{number}" in shown
    found = explain.json("-f", manifest, code=1)
    assert found["pods"][0]["refused"]
    assert [s["stage"] for s in found["pods"][0]["containers"][0]["stages"]] == ["effective"]


KINDS = {
    "Deployment": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec:\n"
    "  selector: {matchLabels: {a: b}}\n"
    "  template:\n    metadata: {labels: {a: b}}\n    spec:\n      containers: [{name: ctr, image: 'busybox:1000'}]\n",
    "CronJob": "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: job}\nspec:\n"
    "  schedule: '* * * * *'\n  jobTemplate:\n"
    "    spec:\n      template:\n        spec:\n          restartPolicy: Never\n"
    "          containers: [{name: ctr, image: 'busybox:1000'}]\n",
    "Pod": "apiVersion: v1\nkind: Pod\nmetadata: {name: z}\nspec:\n"
    "  containers: [{name: ctr, image: 'busybox:1000'}]\n",
}


def test_workloads_several_documents_and_standard_input(explain: Explain) -> None:
    found = explain.json("-f", "-", stdin="---\n".join(KINDS.values()))
    assert [pod["kind"] for pod in found["pods"]] == list(KINDS)
    for pod in found["pods"]:
        assert pod["document"] == "<stdin>"
        assert pod["containers"][0]["predicted"]["uid"] == [1000] * 4


ABSENT = KINDS["Pod"].replace("busybox:1000", "nobody/has:this")


def test_an_image_that_is_not_here_hides_what_it_decides_and_nothing_else(explain: Explain) -> None:
    ran = explain("-f", "-", "-o", "wide", stdin=ABSENT)
    assert (ran.returncode, ran.stderr) == (0, "")
    rows = {line[:16].strip(): line for line in ran.stdout.splitlines()}
    assert rows["user"].split() == ["user", "eff", "unknown", "has:this", "config.User", "unknown"]
    assert "unknown" in rows["group"]
    assert "14 of 41" in rows["caps bounding"]
    assert "unknown" not in rows["masked paths"]
    assert "unknown: image nobody/has:this is not here\n    → `podward image pull nobody/has:this`" in ran.stdout
    for form in ("svg", "html"):
        page = explain("-f", "-", "-o", form, stdin=ABSENT)
        assert page.returncode == 0
        assert "podward image pull nobody/has:this" in page.stdout


def test_an_unknown_value_says_in_json_why_and_how_to_know_it(explain: Explain) -> None:
    found = explain.json("-f", "-", stdin=ABSENT)
    (container,) = found["pods"][0]["containers"]
    (effective,) = [stage for stage in container["stages"] if stage["stage"] == "effective"]
    (user,) = [made["value"] for made in effective["assignments"] if made["path"] == "runAsUser"]
    remedy = (
        "`podward image pull nobody/has:this`, or `--pull`, brings it; "
        "`--image-user UID:GID` tells what its user would come to"
    )
    assert user == {"unknown": "image nobody/has:this is not here", "remedy": remedy}
    assert container["predicted"] is None
    assert [hint["name"] for hint in container["hints"]] == ["seccomp-unset"]


def test_containers_whose_image_is_here_are_explained_whole_beside_one_whose_image_is_not(explain: Explain) -> None:
    found = explain.json("-f", "-", stdin="---\n".join((ABSENT, KINDS["Pod"])))
    hidden, seen = (pod["containers"][0]["predicted"] for pod in found["pods"])
    assert hidden is None
    assert seen["uid"] == [1000] * 4


def test_a_refusal_does_not_wait_for_the_image(explain: Explain) -> None:
    refused = ABSENT.replace("name: ctr,", "name: ctr, securityContext: {runAsNonRoot: true, runAsUser: 0},")
    ran = explain("-f", "-", stdin=refused)
    assert ran.returncode == 1
    assert "container's runAsUser breaks non-root policy" in ran.stdout


def test_what_is_no_image_s_name_is_bad_input(explain: Explain) -> None:
    ran = explain("-f", "-", stdin=KINDS["Pod"].replace("busybox:1000", "Busy:Box:1"))
    assert ran.returncode == 2
    assert "Busy:Box:1" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_access_to_files_of_an_image_that_is_not_here_is_not_known(explain: Explain) -> None:
    ran = explain("-f", "-", "--access", "/etc:r", stdin=ABSENT)
    assert (ran.returncode, ran.stderr) == (1, ""), "no script may take it for a yes"
    assert "/etc:r not known" in ran.stdout
    assert "image nobody/has:this is not here" in ran.stdout
    assert "podward image pull nobody/has:this" in ran.stdout


def test_several_questions_are_answered_in_their_order(explain: Explain) -> None:
    ran = explain(GROUPS, "--access", "/etc:w", "--access", "/usr:r")
    assert [line.split()[1] for line in ran.stdout.splitlines() if line.startswith("ctr: ")] == ["/etc:w", "/usr:r"]


def test_one_pod_that_is_not_valid_does_not_silence_the_others_and_json_tells_of_it(explain: Explain) -> None:
    broken = KINDS["Pod"].replace("name: z", "name: broken").replace("name: ctr", "name: CTR")
    ran = explain("-f", "-", "-o", "json", stdin=f"{broken}---\n{KINDS['Pod']}")
    assert ran.returncode == 2
    found = json.loads(ran.stdout)
    jsonschema.validate(found, SCHEMA)
    assert [pod["name"] for pod in found["pods"]] == ["z"]
    (error,) = found["errors"]
    assert 'Pod "broken" is invalid' in error["what"]
    assert 'Pod "broken" is invalid' in ran.stderr


@pytest.mark.parametrize("word", ["", ":5", "5:x", "a b", "4294967296", "IMAGE", "Busy:Box:1=5", "-1", "1:2:3"])
def test_a_user_that_is_none_is_bad_usage(explain: Explain, word: str) -> None:
    ran = explain("-f", "-", f"--image-user={word}", stdin=ABSENT)
    assert (ran.returncode, ran.stdout) == (2, "") if word != "IMAGE" else ran.returncode == 0
    assert "Traceback" not in ran.stderr


def test_a_user_may_be_assumed_for_one_image_alone(explain: Explain) -> None:
    words = ("--image-user", "docker.io/nobody/has:this=7:8", "--image-user", "9")
    other = ABSENT.replace("nobody/has:this", "some/other").replace("name: z", "name: two")
    found = explain.json("-f", "-", *words, stdin=f"{ABSENT}---\n{other}")
    ids = []
    for pod in found["pods"]:
        (oci,) = [stage for stage in pod["containers"][0]["stages"] if stage["stage"] == "oci"]
        made = {each["path"]: each["value"] for each in oci["assignments"]}
        ids.append((made["process.user.uid"], made["process.user.gid"]))
    assert ids[0] == (7, 8)
    assert ids[1][0] == 9
    assert "is not here" in ids[1][1]["unknown"]


def test_it_needs_no_root_where_the_state_directory_can_be_read(explain: Explain) -> None:
    as_root = explain("-f", "-", "-o", "json", stdin=KINDS["Pod"])
    refused = explain("-f", "-", stdin=KINDS["Pod"], user=NOBODY)
    assert refused.returncode == 1
    assert "cannot read the state directory" in refused.stderr
    assert "Traceback" not in refused.stderr
    opened = [explain.root, *explain.root.parents][:4]
    modes = {
        place: place.stat().st_mode & 0o7777 for place in [*opened, *explain.root.rglob("*")] if not place.is_symlink()
    }
    try:
        for place, mode in modes.items():
            place.chmod(mode | 0o444 | (0o111 if place.is_dir() else 0))
        answered = explain("-f", "-", "-o", "json", stdin=KINDS["Pod"], user=NOBODY)
    finally:
        for place, mode in modes.items():
            place.chmod(mode)
    assert answered.returncode == 0, answered.stderr
    said, known = (json.loads(ran.stdout)["pods"][0]["containers"][0] for ran in (answered, as_root))
    assert said["predicted"]["uid"] == known["predicted"]["uid"]
    assert said["predicted"]["cap_bounding"] == known["predicted"]["cap_bounding"]


@pytest.mark.needs("crun")
@pytest.mark.parametrize(
    "name", ["03-implicit-groups", "07-read-only-root", "09-host-path", "10-user-namespace", "11-init-and-sidecar"]
)
def test_what_is_predicted_without_running_is_what_is_observed(explain: Explain, name: str) -> None:
    found = explain.json("-f", PROJECT / "examples" / f"{name}.yaml", "--verify")
    for each in found["pods"][0]["containers"]:
        assert each["observed"] == each["predicted"]
        assert each["differences"] == []


@pytest.mark.needs("crun")
def test_verify_ends_the_pod_once_it_was_seen(explain: Explain) -> None:
    pod = KINDS["Pod"].replace("'busybox:1000'", "'busybox:1000', command: [sleep, '1000']")
    began = time.monotonic()
    ran = explain("-f", "-", "--verify", stdin=pod, columns=120)
    assert ran.returncode == 0, ran.stderr
    assert time.monotonic() - began < 30
    assert "OBSERVED" in ran.stdout


@pytest.mark.needs("crun")
def test_verify_fails_where_nothing_was_observed(explain: Explain) -> None:
    mounted = "'busybox:1000', volumeMounts: [{name: d, mountPath: /etc/passwd}]"
    pod = KINDS["Pod"].replace("'busybox:1000'", mounted) + "\n  volumes: [{name: d, emptyDir: {}}]\n"
    ran = explain("-f", "-", "--verify", stdin=pod)
    assert ran.returncode == 1, ran.stdout
    assert "cannot start: " in ran.stderr
    assert "Not a directory" in ran.stderr


def test_control_characters_of_a_manifest_do_not_reach_the_terminal(explain: Explain) -> None:
    pod = (
        KINDS["Pod"]
        .replace("{name: z}", "{name: z, annotations: {}}")
        .replace(
            "'busybox:1000'",
            '\'busybox:1000\', workingDir: "/\\x1b[2J", volumeMounts: [{name: v, mountPath: "/\\x1b[31m"}]',
        )
    )
    ran = explain("-f", "-", stdin=pod + "  volumes: [{name: v, emptyDir: {}}]\n")
    assert ran.returncode == 0, ran.stderr
    assert "\x1b" not in ran.stdout
    assert "\\x1b[31m" in ran.stdout


def test_a_thousand_pods_in_one_call(explain: Explain) -> None:
    pods = "---\n".join(KINDS["Pod"].replace("name: z", f"name: z{n}") for n in range(1000))
    ran = explain("-f", "-", stdin=pods)
    assert ran.returncode == 0
    assert ran.stdout.count("\ncontainer ctr") == 1000


def test_pictures_and_the_access_check_are_answered_too(explain: Explain) -> None:
    assert "<svg" in explain("-f", GROUPS, "-o", "svg").stdout[:200]
    page = explain("-f", GROUPS, "-o", "html").stdout
    assert page.startswith("<!DOCTYPE html>")
    assert "group-defined-in-image:x:50000" in page  # the cited file of the image, line by line
    volume = PROJECT / "examples" / "08-fs-group.yaml"
    assert explain("-f", volume, "--access", "/data:rw").returncode == 0
    denied = explain("-f", volume, "--access", "/etc/passwd:w")
    assert denied.returncode == 1
    assert "denied EACCES" in denied.stdout
    assert explain("-f", volume, "--access", "/data:rw", "-o", "svg").returncode == 2


@pytest.mark.needs("crun")
def test_a_setuid_program_in_a_user_namespace_is_that_namespaces_root(explain: Explain, tmp_path: Path) -> None:
    program = tmp_path / "busybox"
    program.write_bytes(Path("/bin/busybox").read_bytes())
    program.chmod(0o4755)
    pod = (
        KINDS["Pod"]
        .replace("spec:\n", "spec:\n  hostUsers: false\n")
        .replace(
            "'busybox:1000'",
            "'busybox:1000', command: [/v/busybox, sleep, '9'], volumeMounts: [{name: v, mountPath: /v}]",
        )
    )
    volume = f"  volumes: [{{name: v, hostPath: {{path: {tmp_path}}}}}]\n"
    (each,) = explain.json("-f", "-", "--verify", stdin=pod + volume)["pods"][0]["containers"]
    first = each["predicted"]["uid_map"][0][1]
    assert each["predicted"]["uid"] == [first + 1000, first, first, first]
    assert each["observed"] == each["predicted"]
