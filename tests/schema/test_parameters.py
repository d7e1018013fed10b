"""The parameters of an OpenShift Template are filled in, and each field keeps its line."""

from __future__ import annotations

import pytest

from podward.documents.reader import decode_documents
from podward.errors import InputError, LimitError
from podward.schema.objects import Item, objects_of

TEMPLATE = """\
apiVersion: template.openshift.io/v1
kind: Template
parameters: [{}]
objects:
- apiVersion: v1
  kind: ConfigMap
  metadata: {{name: c}}
  data:
    said: {}
"""


def items(text: str) -> tuple[Item, ...]:
    (document,) = decode_documents(text.encode(), "t.yaml")
    return objects_of(document)


def said(parameter: str, text: str) -> object:
    (item,) = items(TEMPLATE.format(parameter, text))
    data = item.raw["data"]
    assert isinstance(data, dict)
    return data["said"]


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        ("{name: A, value: x}", "${A}-${A}", "x-x"),
        ("{name: A, value: x}", "$A ${B} $${A}", "$A ${B} $x"),
        ("{name: A, value: '5'}", "${{A}}", 5),
        ("{name: A, value: '[1]'}", "${{A}}", [1]),
        ("{name: A, value: x}", "${{A}}", "x"),
        ("{name: A, value: '5'}", '"no ${{A}}"', "no 5"),
        ("{name: A, generate: expression, from: 'u-[a-z0-9]{3}\\w{2}'}", "${A}", "u-aaaaa"),
        ("{name: A, value: given, generate: expression, from: '[a]{3}'}", "${A}", "given"),
        ("{name: THE_NAME}", "${THE_NAME}", "the-name"),
        ("{name: A}", "${A}web", "web"),
        ("{name: A, required: true}", "${A}/web", "a/web"),
        ("{name: A}", "${{A}}", None),
        ("{name: A, value: ''}", "${A}", ""),
    ],
)
def test_what_a_parameter_comes_to(parameter: str, text: str, value: object) -> None:
    assert said(parameter, text) == value


def test_fields_keep_their_lines_also_under_a_key_that_is_filled_in() -> None:
    (item,) = items(TEMPLATE.format("{name: A, value: x}", "1\n    ${A}: 2"))
    assert item.where(item.at.__class__(("data", "x"))) == "t.yaml:10"
    assert item.where(item.at.__class__(("data", "said"))) == "t.yaml:9"


@pytest.mark.parametrize("parameter", ["{value: x}", "{name: A, value: 5}", "a"])
def test_a_parameter_that_is_none_is_an_error_at_its_line(parameter: str) -> None:
    with pytest.raises(InputError) as caught:
        said(parameter, "x")
    assert caught.value.where.startswith("t.yaml:3")


def test_a_template_cannot_grow_without_end() -> None:
    with pytest.raises(LimitError):
        said(f"{{name: A, value: {'x' * 10_000}}}", "${A}" * 400)


def test_a_template_cannot_be_copied_without_end() -> None:
    template = "{apiVersion: template.openshift.io/v1, kind: Template}"
    with pytest.raises(LimitError):
        items("apiVersion: v1\nkind: List\nitems:\n" + f"- {template}\n" * 1001)


def test_a_template_may_stand_in_a_list() -> None:
    inner = "".join(f"  {line}\n" for line in TEMPLATE.format("{name: A, value: x}", "${A}").splitlines())
    (item,) = items("apiVersion: v1\nkind: List\nitems:\n- " + inner[2:])
    assert (str(item.at), item.raw["data"], item.document.first_line) == ("items[0].objects[0]", {"said": "x"}, 1)
