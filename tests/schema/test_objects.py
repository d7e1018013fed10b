"""Documents are taken apart into objects, each with its kind and its place."""

from __future__ import annotations

import pytest

from podward.documents.reader import decode_documents
from podward.errors import InputError
from podward.path import path
from podward.schema.objects import Item, objects_of, require_version


def objects(text: str) -> tuple[Item, ...]:
    (document,) = decode_documents(text.encode(), "f.yaml")
    return objects_of(document)


def test_a_document_is_its_own_object() -> None:
    (item,) = objects("kind: Pod\napiVersion: v1\nmetadata: {name: web, namespace: shop}\n")
    assert (item.kind, item.api_version, item.name, item.namespace) == ("Pod", "v1", "web", "shop")
    assert item.where(path("metadata", "name")) == "f.yaml:3"


def test_an_object_without_a_name_has_an_empty_one() -> None:
    (item,) = objects("kind: Pod\napiVersion: v1\nmetadata: [name]\n")
    assert (item.name, item.namespace) == ("", "")


def test_lists_are_taken_apart_and_may_hold_lists() -> None:
    items = objects(
        """apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: PodList
  items:
  - metadata: {name: a}
  - {kind: Pod, apiVersion: v1, metadata: {name: b}}
- {kind: Secret, apiVersion: v1, metadata: {name: c}}
"""
    )
    assert [(item.kind, item.name, str(item.at)) for item in items] == [
        ("Pod", "a", "items[0].items[0]"),
        ("Pod", "b", "items[0].items[1]"),
        ("Secret", "c", "items[1]"),
    ]
    assert items[0].where(path("metadata", "name")) == "f.yaml:7"


def test_a_list_of_nothing_holds_nothing() -> None:
    assert objects("{apiVersion: v1, kind: List}") == ()
    assert objects("{apiVersion: v1, kind: List, items: []}") == ()


def test_a_kind_that_only_sounds_like_a_list_is_an_object() -> None:
    (item,) = objects("{apiVersion: example.com/v1, kind: GuestList, items: [{a: b}]}")
    assert item.kind == "GuestList"


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("apiVersion: v1\nmetadata: {}\n", "f.yaml:1", "kind not set"),
        ("metadata: {}\n", "f.yaml:1", "apiVersion not set, kind not set"),
        ("apiVersion: v1\nkind: 7\n", "f.yaml:2", "kind: expected a string, found the number 7"),
        ("apiVersion: v1\nkind: List\nitems:\n- metadata: {}\n", "f.yaml:4", "apiVersion not set, kind not set"),
        ("apiVersion: v1\nkind: PodList\nitems:\n- kind: Pod\n", "f.yaml:4", "apiVersion not set"),
        ("apiVersion: v1\nkind: PodList\nitems:\n- apiVersion: v1\n", "f.yaml:4", "kind not set"),
        (
            "apiVersion: v1\nkind: List\nitems:\n- web\n",
            "f.yaml:4",
            'items[0]: expected an object, found the string "web"',
        ),
    ],
)
def test_what_is_no_object_says_where(text: str, where: str, what: str) -> None:
    with pytest.raises(InputError) as caught:
        objects(text)
    assert (caught.value.where, caught.value.what) == (where, what)


@pytest.mark.parametrize(
    ("version", "kind"),
    [("v1", "Pod"), ("v1", "SomethingElse"), ("example.com/v1", "Pod"), ("rbac.authorization.k8s.io/v1", "Role")],
)
def test_versions_that_a_kind_has_and_kinds_of_others_are_taken(version: str, kind: str) -> None:
    (item,) = objects(f"{{apiVersion: {version}, kind: {kind}}}")
    require_version(item, frozenset(("", "rbac.authorization.k8s.io")))


def test_a_version_that_a_kind_of_ours_does_not_have_is_refused() -> None:
    (item,) = objects("apiVersion: rbac.authorization.k8s.io/v1beta1\nkind: Role\n")
    with pytest.raises(InputError) as caught:
        require_version(item, frozenset(("rbac.authorization.k8s.io",)))
    assert caught.value.where == "f.yaml:1"
    assert caught.value.advice == "write apiVersion: rbac.authorization.k8s.io/v1"


def names(text: str) -> list[tuple[str, str]]:
    return [(item.kind, str(item.at)) for item in objects(text)]


def test_the_items_of_any_list_may_leave_out_what_they_are() -> None:
    """`kubectl apply` gives each the kind of the list, without `List` where it ends so."""
    assert names("{apiVersion: argoproj.io/v1alpha1, kind: RolloutList, items: [{metadata: {name: a}}]}") == [
        ("Rollout", "items[0]")
    ]
    assert names("{apiVersion: argoproj.io/v1alpha1, kind: Rollout, items: [{metadata: {name: a}}]}") == [
        ("Rollout", ""),
        ("Rollout", "items[0]"),
    ]


def test_an_object_with_items_is_looked_at_itself_too() -> None:
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: a}}"
    assert names(f"{{apiVersion: example.org/v1, kind: Bundle, spec: {{}}, items: [{pod}]}}") == [
        ("Bundle", ""),
        ("Pod", "items[0]"),
    ]
    assert names(f"{{apiVersion: template.openshift.io/v1, kind: Template, objects: [{pod}], items: [{pod}]}}") == [
        ("Pod", "objects[0]"),
        ("Pod", "items[0]"),
    ]


@pytest.mark.parametrize("said", ["", "      kind: ConfigMap\n      apiVersion: v1\n"])
def test_an_instance_of_a_template_makes_its_objects_whatever_kind_that_says(said: str) -> None:
    template = f"""
{said}      parameters: [{{name: NAME, value: web}}]
      objects: [{{apiVersion: v1, kind: Pod, metadata: {{name: "${{NAME}}"}}}}]
"""
    text = "apiVersion: template.openshift.io/v1\nkind: TemplateInstance\nspec:\n  template:" + template
    found = objects(text)
    assert [(item.kind, item.name, str(item.at)) for item in found] == [
        ("TemplateInstance", "", ""),
        ("Pod", "web", "spec.template.objects[0]"),
    ]
