"""policy.json: what can't be checked is not pulled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from podward.api.reference import parse
from podward.errors import InputError, RefusedError
from podward.runtime.images.signature_policy import refuse

ANYTHING = [{"type": "insecureAcceptAnything"}]
REJECT = [{"type": "reject"}]
SIGNED = [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/key"}]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "policy.json"
    scopes = {
        "registry.example.com": SIGNED,
        "registry.example.com/open": ANYTHING,
        "registry.example.com/open/app:1": REJECT,
        "*.example.org": REJECT,
        "good.example.org": ANYTHING,
        "docker.io/library/both": [*ANYTHING, *SIGNED],
        "docker.io/library/none": [],
    }
    place.write_text(json.dumps({"default": ANYTHING, "transports": {"docker": scopes, "docker-daemon": {"": REJECT}}}))
    return place


@pytest.mark.parametrize(
    ("name", "demanded"),
    [
        ("registry.example.com/app", "signedBy"),
        ("registry.example.com/open/app:2", ""),
        ("registry.example.com/open/app:1", "reject"),
        ("registry.example.com/opener", "signedBy"),
        ("a.b.example.org:5000/app", "reject"),
        ("good.example.org/app", ""),
        ("example.org/app", ""),
        ("both", "signedBy"),
        ("none", "nothing at all"),
        ("other", ""),
    ],
)
def test_the_longest_scope_says_what_is_demanded(name: str, demanded: str, file: Path) -> None:
    if not demanded:
        refuse(parse(name), str(file))
        return
    with pytest.raises(RefusedError, match=f"demands '{demanded}' of it, which can't be checked"):
        refuse(parse(name), str(file))


def test_the_empty_scope_comes_before_the_default(file: Path) -> None:
    file.write_text(json.dumps({"default": REJECT, "transports": {"docker": {"": ANYTHING}}}))
    refuse(parse("a"), str(file))
    file.write_text(json.dumps({"default": REJECT}))
    with pytest.raises(RefusedError, match="reject"):
        refuse(parse("a"), str(file))


def test_a_users_own_file_counts_before_the_machines(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".config/containers").mkdir(parents=True)
    file.rename(tmp_path / ".config/containers/policy.json")
    with pytest.raises(RefusedError, match="signedBy"):
        refuse(parse("registry.example.com/app"))


def test_without_a_file_nothing_is_demanded(tmp_path: Path) -> None:
    refuse(parse("a"), str(tmp_path / "none.json"))


@pytest.mark.parametrize("text", ["", "{}", '{"default": "reject"}', '{"default": [{"kind": "x"}]}'])
def test_a_file_that_is_wrong_stops_all_pulls(text: str, file: Path) -> None:
    file.write_text(text)
    with pytest.raises(InputError, match="can't be read"):
        refuse(parse("a"), str(file))
