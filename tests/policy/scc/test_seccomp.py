"""seccompProfiles: annotations and fields are made to agree, and profiles that are not named are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podward.api.json_value import JsonObject
from podward.decision import Decision
from podward.policy.scc.violation import SccViolation

POD_KEY = "seccomp.security.alpha.kubernetes.io/pod"
KEY = "container.seccomp.security.alpha.kubernetes.io/c"
FIELD = "spec.securityContext.seccompProfile"
ANNOTATION = f"metadata.annotations[{POD_KEY}]"
OWN_FIELD = "spec.containers[0].securityContext.seccompProfile"
DEFAULT: JsonObject = {"type": "RuntimeDefault"}
UNCONFINED: JsonObject = {"type": "Unconfined"}
STAR: JsonObject = {"type": "Localhost", "localhostProfile": "*"}
Decide = Callable[..., Decision]


def run(decide: Decide, profiles: list[str] | None, notes: dict[str, str], *fields: JsonObject | None) -> Decision:
    pod, own = (*fields, None, None)[:2]
    container: JsonObject = {"name": "c", "securityContext": {"seccompProfile": own}}
    spec: JsonObject = {"securityContext": {"seccompProfile": pod}, "containers": [container]}
    return decide({"seccompProfiles": profiles}, spec, notes)


def given(made: Decision) -> JsonObject:
    return {str(one.path): one.value for one in made.assignments}  # type: ignore[misc]  # JSON values, as they are made


def printed(made: Decision) -> list[str]:
    return [one.printed for one in made.violations if isinstance(one, SccViolation)]


@pytest.mark.parametrize(
    ("profiles", "notes", "field", "expected"),
    [
        (["runtime/default"], {}, None, {ANNOTATION: "runtime/default", FIELD: DEFAULT}),
        (["*", "unconfined"], {}, None, {ANNOTATION: "unconfined", FIELD: UNCONFINED}),
        (["localhost/*"], {POD_KEY: ""}, None, {ANNOTATION: "localhost/*", FIELD: STAR}),
        (["weird"], {}, None, {ANNOTATION: "weird"}),
        ([""], {}, None, {}),
        (["*"], {}, None, {}),
        (None, {}, None, {}),
        (["*"], {POD_KEY: "docker/default"}, None, {FIELD: DEFAULT}),
        (["*"], {POD_KEY: "unconfined"}, DEFAULT, {FIELD: UNCONFINED}),
        (["*"], {POD_KEY: "weird"}, DEFAULT, {FIELD: None}),
        (["*"], {POD_KEY: "runtime/default"}, DEFAULT, {}),
        (["*"], {POD_KEY: "runtime/default"}, {**DEFAULT, "localhostProfile": ""}, {FIELD: DEFAULT}),
        (["*"], {}, UNCONFINED, {ANNOTATION: "unconfined"}),
        (["*"], {}, {"type": "Localhost", "localhostProfile": "a"}, {ANNOTATION: "localhost/a"}),
        (["*"], {}, {"type": "Localhost", "localhostProfile": ""}, {ANNOTATION: "localhost/", FIELD: None}),
        (["*", "unconfined"], {}, {"type": "Localhost"}, {}),
        (["*"], {}, {}, {}),
    ],
)  # fmt: skip
def test_annotation_and_field_of_the_pod_are_made_to_agree(
    decide: Decide, profiles: list[str] | None, notes: dict[str, str], field: JsonObject | None, expected: JsonObject
) -> None:
    made = run(decide, profiles, notes, field)
    assert given(made) == expected
    assert not made.violations


@pytest.mark.parametrize(
    ("annotation", "field", "expected"),
    [
        ("unconfined", None, {OWN_FIELD: UNCONFINED}),
        ("unconfined", DEFAULT, {OWN_FIELD: UNCONFINED}),
        ("docker/default", DEFAULT, {}),
        ("", DEFAULT, {OWN_FIELD: None}),
        ("weird", DEFAULT, {OWN_FIELD: None}),
        ("weird", None, {}),
        ("localhost/a/b", None, {OWN_FIELD: {"type": "Localhost", "localhostProfile": "a/b"}}),
    ],
)
def test_the_annotation_of_a_container_beats_its_field(
    decide: Decide, annotation: str, field: JsonObject | None, expected: JsonObject
) -> None:
    assert given(run(decide, ["*"], {KEY: annotation}, None, field)) == expected


@pytest.mark.parametrize(
    ("profiles", "asked", "detail"),
    [
        (["runtime/default"], "docker/default", ""),
        (["docker/default"], "runtime/default", ""),
        (["a", "b"], "runtime/default", "runtime/default is not an allowed seccomp profile. Valid values are [a b]"),
        (
            ["localhost/*"],
            "localhost/a",
            "localhost/a is not an allowed seccomp profile. Valid values are [localhost/*]",
        ),
        (["a"], "", " is not an allowed seccomp profile. Valid values are [a]"),
        (["", "a"], "", ""),
        (None, "unconfined", "seccomp may not be set"),
        ([], "", ""),
        (["*"], "anything", ""),
        (["*", "a"], "anything", ""),
    ],
)
def test_which_profiles_a_container_may_have(
    decide: Decide, profiles: list[str] | None, asked: str, detail: str
) -> None:
    texts = printed(run(decide, profiles, {KEY: asked}))
    assert texts == ([f"metadata.annotations[{KEY}]: Forbidden: {detail}"] if detail else [])


@pytest.mark.parametrize(
    ("notes", "fields", "asked", "place"),
    [
        ({}, (None, UNCONFINED), "unconfined", OWN_FIELD),
        ({KEY: "weird"}, (None, UNCONFINED), "weird", f"metadata.annotations[{KEY}]"),
        ({}, (UNCONFINED, None), "unconfined", FIELD),
        ({POD_KEY: "weird"}, (None, None), "weird", ANNOTATION),
        ({POD_KEY: "docker/default"}, (None, None), "runtime/default", ANNOTATION),
        ({}, ({"type": "Localhost", "localhostProfile": ""}, None), "localhost/", FIELD),
    ],
)
def test_the_effective_profile_of_a_container(
    decide: Decide, notes: dict[str, str], fields: tuple[JsonObject | None, ...], asked: str, place: str
) -> None:
    violation = run(decide, ["a"], notes, *fields).violations[-1]
    assert isinstance(violation, SccViolation)
    assert violation.value == asked
    assert str(violation.path) == place
    text = f"{asked} is not an allowed seccomp profile. Valid values are [a]"
    assert violation.printed == f"metadata.annotations[{KEY}]: Forbidden: {text}"


def test_the_pod_is_refused_under_the_name_of_its_annotation(decide: Decide) -> None:
    texts = printed(run(decide, None, {}, DEFAULT))
    assert texts == [f"metadata.annotations[{key}]: Forbidden: seccomp may not be set" for key in (POD_KEY, KEY)]
