"""The documents of images, read as Go's encoding/json reads them."""

import msgspec
import pytest

from podward.runtime.images.go_json import decode
from podward.runtime.images.layout import ImageDocument, Manifest

LONG_S, KELVIN = "\u017f", "\u212a"


def user(document: str) -> str | None:
    config = decode(document.encode(), ImageDocument).config
    return config.user if config else None


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ('{"config":{"User":"1000"}}', "1000"),
        ('{"config":{"User":"1000","user":"0"}}', "0"),
        ('{"config":{"USER":"0","User":"1000"}}', "1000"),
        ('{"config":{"User":"1000"},"Config":{"Cmd":["x"]}}', "1000"),
        ('{"config":{"User":"1000"},"CONFIG":{"uSER":"0"}}', "0"),
        ('{"config":{"User":"1000"},"config":null}', "1000"),
        ('{"config":{"User":"1000","User":null}}', "1000"),
        (f'{{"config":{{"User":"1000","U{LONG_S}er":"0"}}}}', "0"),
    ],
)
def test_names_match_in_any_case_and_the_last_member_wins(document: str, expected: str) -> None:
    assert user(document) == expected


def test_lists_are_replaced_and_maps_are_added_to() -> None:
    config = decode(
        b'{"config":{"Env":["A=1","B=2"],"env":["C=3"],"Volumes":{"/a":{}},"volumes":{"/b":{}},"Cmd":["x"],"CMD":null}}',
        ImageDocument,
    ).config
    assert config is not None
    assert (config.env, sorted(config.volumes or {}), config.cmd) == (("C=3",), ["/a", "/b"], ())


def test_the_other_k_is_one_too() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(f'{{"config":{{"Wor{KELVIN}ingDir":1}}}}'.encode(), ImageDocument)


@pytest.mark.parametrize("document", ['{"config":{"User":5,"User":"0"}}', '{"rootfs":{"diff_ids":{}}}', "[]", "5"])
def test_a_member_that_does_not_fit_is_an_error_also_where_a_later_one_replaces_it(document: str) -> None:
    with pytest.raises((msgspec.MsgspecError, ValueError)):
        decode(document.encode(), ImageDocument)


def test_layers_that_stand_twice_are_refused() -> None:
    layer = '{"digest":"sha256:x","size":1}'
    with pytest.raises(msgspec.ValidationError, match="layers"):
        decode(f'{{"config":{layer},"layers":[{layer}],"Layers":[{layer}]}}'.encode(), Manifest)
