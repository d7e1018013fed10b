"""What the audit log has of requests: the events of the real server's log for the same requests, without secrets."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from api_server import Server, running
from warm_command import run

from podward.api.json_value import Json

POLICY = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: RequestResponse\n"
RECORDED = Path(__file__).with_name("recorded.jsonl")
CHANGING = frozenset(
    ("uid", "resourceVersion", "creationTimestamp", "time", "requestReceivedTimestamp", "stageTimestamp", "token",
     "expirationTimestamp")
)  # fmt: skip
HIDDEN = re.compile(r"hunter\d|aHVudGVyM|eyJhbGciOi")
BLANK = {"aHVudGVyMg==": "", "aHVudGVyMw==": "", "hunter3": ""}


def plain(value: Json, name: str = "") -> Json:
    """A value without what changes from run to run, and without what our log never has."""
    if name in CHANGING and isinstance(value, str):
        return "*"
    if isinstance(value, dict):
        return {key: plain(each, key) for key, each in value.items() if key != "managedFields"}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, str):
        named = re.sub(r"kube-api-access-\w{5}", "kube-api-access-*", re.sub("JTI=[-0-9a-f]+", "JTI=*", value))
        return BLANK.get(named, named)
    return value


def events_of(log: Path) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for line in log.read_text().splitlines():
        event = json.loads(line)
        found.setdefault(event["auditID"], []).append(event)
    return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """The events of all recorded requests."""
    directory = tmp_path_factory.mktemp("audited")
    (directory / "policy.yaml").write_text(POLICY)
    log = directory / "audit.log"
    flags = ("--audit-policy-file", str(directory / "policy.yaml"), "--audit-log-path", str(log))
    with running(directory, *flags) as server:
        for line in RECORDED.read_text().splitlines():
            step = json.loads(line)
            sent = {"User_Agent": "probe/1.0", "Content_Type": step["type"], **step["headers"]}
            server.ask(step["method"], step["path"], step["body"], token=step["token"], **sent)
    assert HIDDEN.search(log.read_text()) is None
    assert log.stat().st_mode & 0o777 == 0o600
    return events_of(log)


STEPS = [json.loads(line) for line in RECORDED.read_text().splitlines()]


@pytest.mark.parametrize("step", STEPS, ids=[step["headers"]["Audit_Id"] for step in STEPS])
def test_events_are_those_of_the_real_server(told: dict[str, list[Any]], step: dict[str, Any]) -> None:
    assert [plain(event) for event in told[step["headers"]["Audit_Id"]]] == [plain(event) for event in step["events"]]


def test_times_are_in_microseconds_and_the_event_begins_as_the_real_one(told: dict[str, list[Any]]) -> None:
    [received, complete] = told["s03"]
    for event in (received, complete):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event["stageTimestamp"])
    assert received["stageTimestamp"] == received["requestReceivedTimestamp"] == complete["requestReceivedTimestamp"]
    assert complete["stageTimestamp"] > received["stageTimestamp"]
    [_, real] = next(step for step in STEPS if step["headers"]["Audit_Id"] == "s03")["events"]
    assert list(complete) == list(real)


def audited(directory: Path, policy: str, *flags: str) -> Server:
    (directory / "policy.yaml").write_text(policy)
    return Server(directory, "--audit-policy-file", str(directory / "policy.yaml"), *flags)


def test_a_full_disk_stops_nobody_unless_that_is_wanted(tmp_path: Path) -> None:
    for mode, code in (("blocking", 200), ("batch", 200), ("blocking-strict", 500)):
        directory = tmp_path / mode
        directory.mkdir()
        server = audited(directory, POLICY, "--audit-log-path", "/dev/full", "--audit-log-mode", mode)
        try:
            found, answer, _ = server.ask("GET", "/api/v1/namespaces")
            assert found == code, mode
            if code == 500:
                assert "failed to store audit event" in answer["message"]
        finally:
            server.process.terminate()
            _, errors = server.process.communicate(timeout=30)
        assert "the audit log cannot be written: No space left on device" in errors


def test_what_the_policy_does_not_name_is_not_told(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    rule = "- level: Metadata\n  verbs: [create]\n  omitStages: [RequestReceived]\n"
    server = audited(tmp_path, POLICY.partition("- ")[0] + rule, "--audit-log-path", str(log))
    try:
        server.ask("GET", "/api/v1/namespaces", Audit_Id="unseen")
        server.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "a"}}, Audit_Id="seen")
    finally:
        assert server.stop() == 0
    assert {name: [event["stage"] for event in events] for name, events in events_of(log).items()} == {
        "seen": ["ResponseComplete"]
    }
    assert "requestObject" not in log.read_text()


def test_the_log_may_be_the_standard_output(tmp_path: Path) -> None:
    server = audited(tmp_path, POLICY, "--audit-log-path", "-")
    try:
        server.ask("GET", "/version", Audit_Id="mine")
        assert server.process.stdout is not None
        assert json.loads(server.process.stdout.readline())["auditID"] == "mine"
    finally:
        server.process.terminate()
        server.process.communicate(timeout=30)


def test_a_watch_is_over_when_its_reader_goes(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    server = audited(tmp_path, POLICY, "--audit-log-path", str(log))
    try:
        server.ask("GET", "/api/v1/namespaces?watch=1&timeoutSeconds=1", Audit_Id="mine")
        end = time.monotonic() + 10
        while len(events_of(log).get("mine", ())) < 3 and time.monotonic() < end:
            time.sleep(0.02)
        stages = [event["stage"] for event in events_of(log)["mine"]]
        assert stages == ["RequestReceived", "ResponseStarted", "ResponseComplete"]
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--audit-log-path", "x"], "without a policy nothing is noted"),
        (["--audit-policy-file", "POLICY"], "there is no audit log"),
        (["--audit-policy-file", "/nowhere", "--audit-log-path", "x"], "/nowhere: cannot be read"),
        (["--audit-policy-file", "BAD", "--audit-log-path", "x"], "bad.yaml:4: rules[0].level: Unsupported value"),
        (["--audit-policy-file", "POLICY", "--audit-log-path", "/proc/none/x"], "cannot be written"),
        (["--audit-log-mode", "never"], "--audit-log-mode"),
        (["--audit-log-maxsize", "-1"], "--audit-log-maxsize"),
    ],
)
def test_flags_that_make_no_sense_are_refused_at_the_start(tmp_path: Path, flags: list[str], words: str) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "bad.yaml").write_text(POLICY.replace("RequestResponse", "Everything"))
    named = {"POLICY": str(tmp_path / "policy.yaml"), "BAD": str(tmp_path / "bad.yaml")}
    command = ["apiserver", "--data-dir", str(tmp_path / "data"), "--secure-port", "0"]
    ended = run(*command, *(named.get(word, word) for word in flags))
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
