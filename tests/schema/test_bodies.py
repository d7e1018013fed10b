"""Bodies as a server reads them, and what it says of those that it cannot read, as recorded from a real one."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.json_value import JsonObject
from podward.schema import bodies
from podward.schema.bodies import Body, Expected, Undecodable, decode_body, decode_custom_body, media_of
from podward.schema.body_reading import FieldValidation, Media

MAP = Expected("v1", "ConfigMap")
POD = Expected("v1", "Pod")
UNRECOGNIZED = "the object provided is unrecognized (must be of type ConfigMap): "
PARSE = UNRECOGNIZED + "couldn't get version/kind; json parse error: "
HANDLED = 'ConfigMap in version "v1" cannot be handled as a ConfigMap: '
SCHEME = 'in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"'
META = 'type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'


def refusal(body: str, media: Media = "json", expected: Expected = MAP, validation: FieldValidation = "Warn") -> str:
    found = decode_body(body.encode(), media, expected, validation)
    assert isinstance(found, Undecodable)
    return found.message


def held(body: str, media: Media = "json", expected: Expected = MAP, validation: FieldValidation = "Warn") -> Body:
    found = decode_body(body.encode(), media, expected, validation)
    assert isinstance(found, Body), found
    return found


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},}',
            PARSE + "invalid character '}' looking for beginning of object key string"
            ' ({"apiVersion":"v1","kind":"Con ...)',
        ),
        ("hello", PARSE + "invalid character 'h' looking for beginning of value (68656c6c6f)"),
        ("[]", PARSE + f"json: cannot unmarshal array into Go value of {META} (5b5d)"),
        ("", PARSE + "unexpected end of JSON input (<empty>)"),
        ('{"apiVersion":"v1",', PARSE + 'unexpected end of JSON input ({"apiVersion":"v1",)'),
        (
            '\ufeff{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}',
            PARSE + r"invalid character '\ufeff' looking for beginning of value"
            " (efbbbf7b2261706956657273696f6e223a227631222c226b696e64223a22 ...)",
        ),
        (
            '{"apiVersion":"v1","kind":"configmap"}',
            (
                'configmap in version "v1" cannot be handled as a ConfigMap: '
                f'no kind "configmap" is registered for version "v1" {SCHEME}'
            ),
        ),
        (
            '{"apiVersion":"v9","kind":"ConfigMap"}',
            (
                'ConfigMap in version "v9" cannot be handled as a ConfigMap: '
                f'no kind "ConfigMap" is registered for version "v9" {SCHEME}'
            ),
        ),
        (
            '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}',
            (
                'Pod in version "v1" cannot be handled as a ConfigMap: '
                "converting (v1.Pod) to (core.ConfigMap): unknown conversion"
            ),
        ),
        (
            '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"labels":{"a":1}}}',
            HANDLED + "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            '{"data":{"a":{}}}',
            HANDLED + "json: cannot unmarshal object into Go struct field ConfigMap.data of type string",
        ),
        ('{"apiVersion":"a/b/c"}', UNRECOGNIZED + 'unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c"})'),
    ],
)
def test_says_what_the_real_one_says_of_json(body: str, said: str) -> None:
    assert refusal(body) == said


@pytest.mark.parametrize(
    ("expected", "body", "said"),
    [
        (
            Expected("apps/v1", "Deployment"),
            '{"spec":{"replicas":99999999999}}',
            (
                'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal'
                " number 99999999999 into Go struct field DeploymentSpec.spec.replicas of type int32"
            ),
        ),
        (
            Expected("v1", "Secret"),
            '{"data":{"k":"not base64!"}}',
            'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 3',
        ),
        (
            Expected("coordination.k8s.io/v1", "Lease"),
            '{"spec":{"renewTime":"2026-01-01T00:00:00Z"}}',
            (
                'Lease in version "v1" cannot be handled as a Lease: parsing time "2026-01-01T00:00:00Z" as'
                ' "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"'
            ),
        ),
        (
            Expected("apps/v1", "Deployment"),
            '{"apiVersion":"apps/v1beta2","kind":"Deployment"}',
            "the API version in the data (apps/v1beta2) does not match the expected API version (apps/v1)",
        ),
        (
            Expected("events.k8s.io/v1", "Event"),
            '{"apiVersion":"v1","kind":"Event"}',
            "the API version in the data (v1) does not match the expected API version (events.k8s.io/v1)",
        ),
        (
            Expected("autoscaling/v1", "Scale"),
            '{"apiVersion":"apps/v1","kind":"Deployment"}',
            (
                'Deployment in version "v1" cannot be handled as a Scale: '
                "converting (v1.Deployment) to (autoscaling.Scale): unknown conversion"
            ),
        ),
    ],
)
def test_says_what_the_real_one_says_of_other_kinds(expected: Expected, body: str, said: str) -> None:
    assert refusal(body, expected=expected) == said


def test_yaml_is_read_with_the_parsers_own_words() -> None:
    assert refusal("a: b: c", "yaml") == (
        UNRECOGNIZED + "yaml: mapping values are not allowed in this context (613a20623a2063)"
    )
    found = held("kind: ConfigMap\nmetadata: {name: x}\ndata: {a: &x 'q', b: *x}\n", "yaml").object
    assert found["data"] == {"a": "q", "b": "q"}
    assert refusal("data: {a: 1}", "yaml").endswith("Go struct field ConfigMap.data of type string")


STRANGE = '{"metadata":{"labls":{}},"spec":{"containers":[{"name":"c","imagee":"j"}],"hostNetwrk":true}}'
UNKNOWN = (
    'unknown field "metadata.labls"',
    'unknown field "spec.containers[0].imagee"',
    'unknown field "spec.hostNetwrk"',
)


def test_unknown_fields_refuse_warn_or_are_nobodys_business() -> None:
    assert refusal(STRANGE, expected=POD, validation="Strict") == (
        f'Pod in version "v1" cannot be handled as a Pod: strict decoding error: {", ".join(UNKNOWN)}'
    )
    assert held(STRANGE, expected=POD).warnings == UNKNOWN
    assert held(STRANGE, expected=POD, validation="Ignore").warnings == ()
    assert held(STRANGE, expected=POD).object["metadata"] == {}


def test_a_name_that_stands_twice_is_found() -> None:
    twice = '{"metadata":{"name":"a","name":"b"}}'
    assert held(twice).warnings == ('duplicate field "metadata.name"',)
    assert held(twice).object["metadata"] == {"name": "b"}
    yaml = "spec:\n  hostPID: true\n  hostPID: false\n  zz: 1\n"
    assert held(yaml, "yaml", POD).warnings == ('line 3: key "hostPID" already set in map', 'unknown field "spec.zz"')
    assert refusal(yaml, "yaml", POD, "Strict").endswith(
        'strict decoding error: yaml: unmarshal errors:\n  line 3: key "hostPID" already set in map,'
        ' unknown field "spec.zz"'
    )


def test_the_kind_may_be_left_out_and_null_is_an_empty_object() -> None:
    assert held("null").object == {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {}}
    assert held('{"kind":"ConfigMap","metadata":{"name":"x"}}').object["apiVersion"] == "v1"


def test_what_go_would_not_keep_is_gone_and_what_it_always_writes_is_there() -> None:
    metadata = '{"name":"x","labels":{},"creationTimestamp":null}'
    body = f'{{"metadata":{metadata},"immutable":null,"data":{{"a":"\\u00e4\\ud83d\\ude00"}}}}'
    assert held(body).object == {
        "kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "x"}, "data": {"a": "ä\U0001f600"},
    }  # fmt: skip
    for rules, found in (('"rules":[]', []), ("", None), ('"rules":null', None)):
        role = held(f"{{{rules}}}", expected=Expected("rbac.authorization.k8s.io/v1", "Role")).object
        assert role["rules"] == found
    event = held('{"count":0}', expected=Expected("v1", "Event")).object
    assert (event["eventTime"], event["reportingComponent"], "count" in event) == (None, "", False)


def test_values_are_written_in_their_own_form() -> None:
    body = {"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "0.50", "memory": 1024}}}]}}
    found = held(json.dumps(body), expected=POD).object["spec"]
    assert isinstance(found, dict)
    assert found["containers"] == [{"name": "c", "resources": {"limits": {"cpu": "500m", "memory": "1024"}}}]
    lease = '{"spec":{"renewTime":"2026-01-01T01:00:00.5000001+01:00"}}'
    assert "cannot parse" in refusal(lease, expected=Expected("coordination.k8s.io/v1", "Lease"))
    lease = lease.replace("5000001", "500000")
    assert held(lease, expected=Expected("coordination.k8s.io/v1", "Lease")).object["spec"] == {
        "renewTime": "2026-01-01T00:00:00.500000Z"
    }


def test_schemas_of_custom_resources_keep_what_they_say() -> None:
    schema = {"type": "object", "properties": {"a": {"items": {"type": "string"}, "default": [], "enum": [None, 1.0]}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    body = json.dumps({"spec": {"group": "g", "scope": "Namespaced", "versions": [version]}})
    found = held(body, expected=Expected("apiextensions.k8s.io/v1", "CustomResourceDefinition")).object["spec"]
    assert isinstance(found, dict)
    assert found["versions"] == [version]
    wrong = body.replace('{"type": "string"}', '{"type": "string", "foo": 1}')
    assert held(wrong, expected=Expected("apiextensions.k8s.io/v1", "CustomResourceDefinition")).warnings == ()


PROTOBUF = "azhzAAoPCgJ2MRIJQ29uZmlnTWFwEh0KEwoDa2NtEgAaACIAKgAyADgAQgASBgoBYRIBYhoAIgA="
"""`kubectl create configmap kcm --from-literal a=b`."""


def test_protobuf_is_read() -> None:
    found = decode_body(base64.b64decode(PROTOBUF), "protobuf", MAP)
    assert found == Body({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "kcm"}, "data": {"a": "b"}})
    found = decode_body(base64.b64decode(PROTOBUF), "protobuf", POD)
    assert isinstance(found, Undecodable)
    assert found.message.endswith("converting (v1.ConfigMap) to (core.Pod): unknown conversion")
    found = decode_body(b"k8s\0zz", "protobuf", MAP)
    assert found == Undecodable(UNRECOGNIZED + "unexpected EOF (6b3873007a7a)", "unexpected EOF")


def test_the_first_seconds_of_all_times_are_read_from_protobuf() -> None:
    """As the suite of Kubernetes writes them in a Lease: two seconds after Go's zero time."""
    varint = bytes.fromhex("8292b8c398feffffff01")  # -62135596798
    acquired = b"\x1a" + bytes([len(varint) + 1]) + b"\x08" + varint
    message = b"\x12" + bytes([len(acquired)]) + acquired
    kind = b"\n\x16coordination.k8s.io/v1\x12\x05Lease"
    body = b"k8s\0\n" + bytes([len(kind)]) + kind + b"\x12" + bytes([len(message)]) + message
    found = decode_body(body, "protobuf", Expected("coordination.k8s.io/v1", "Lease"))
    assert isinstance(found, Body)
    assert found.object["spec"] == {"acquireTime": "0001-01-01T00:00:02.000000Z"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            '{"kind":"Pod","apiVersion":"v1"}',
            (
                'no kind "Pod" is registered for version "v1" in scheme'
                ' "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"'
            ),
        ),
        (
            '{"gracePeriodSeconds":"x"}',
            "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
        ),
    ],
)
def test_delete_options_are_read_by_themselves(body: str, said: str) -> None:
    assert bodies.decode_delete_options(body.encode(), "json", "apps") == Undecodable(said)
    found = bodies.decode_delete_options(
        b'{"apiVersion":"apps/v1","kind":"DeleteOptions","dryRun":["All"],"zz":1}', "json", "apps"
    )
    assert isinstance(found, Body)
    assert found.object["dryRun"] == ["All"]


@pytest.mark.parametrize(
    ("content_type", "media"),
    [
        ("", "json"), ("application/json; charset=utf-8", "json"), ("application/yaml", "yaml"), ("json", None),
        ("application/vnd.kubernetes.protobuf", "protobuf"), ("application/x-www-form-urlencoded", None),
    ],
)  # fmt: skip
def test_the_content_type_says_what_a_body_is(content_type: str, media: str | None) -> None:
    assert media_of(content_type) == media


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "metadata", "spec", "labels", "containers", "data", "x"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_the_quick_way_and_the_close_look_find_the_same(value: JsonObject) -> None:
    text = json.dumps(value)
    for expected in (MAP, POD):
        quick = decode_body(text.encode(), "json", expected)
        # The escape makes the body one that is looked at closely.
        close = decode_body(text.replace("{", '{"\\ud800":1,', 1).encode(), "json", expected)
        if isinstance(quick, Body) and value:
            assert isinstance(close, Body)
            assert close.object == quick.object
        elif value:
            assert isinstance(close, Undecodable)


@given(st.binary(max_size=60))
def test_no_bytes_are_too_strange(body: bytes) -> None:
    for media in ("json", "yaml", "protobuf"):
        assert decode_body(b"k8s\0" + body if media == "protobuf" else body, media, POD) is not None


CAKE = Expected("baking.example.com/v1", "Cake")


def pruned(value: JsonObject, version: str) -> tuple[JsonObject, list[str]]:
    """As a schema would that knows of a spec with a size, in one version."""
    spec = value.get("spec")
    known = {"apiVersion", "kind", "metadata", *(("spec",) if version == "v1" else ())}
    kept: JsonObject = {name: item for name, item in value.items() if name in known}
    gone = [name for name in value if name not in known]
    if isinstance(spec, dict) and "spec" in kept:
        kept["spec"] = {name: item for name, item in spec.items() if name == "size"}
        gone += [f"spec.{name}" for name in spec if name != "size"]
    return kept, gone


def cake(body: str, validation: FieldValidation = "Warn", media: Media = "json") -> Body | Undecodable:
    return decode_custom_body(body.encode(), media, CAKE, pruned, validation)


def test_a_custom_object_is_what_its_schema_knows_of_it() -> None:
    head = '"apiVersion":"baking.example.com/v1","kind":"Cake"'
    found = cake(f'{{{head},"metadata":{{"name":"e","labels":{{}},"x":1}},"spec":{{"size":null,"zz":1}},"top":1}}')
    assert isinstance(found, Body)
    assert found.object == {
        "apiVersion": CAKE.api_version, "kind": "Cake", "metadata": {"name": "e"}, "spec": {"size": None},
    }  # fmt: skip
    assert found.warnings == tuple(f'unknown field "{place}"' for place in ("metadata.x", "spec.zz", "top"))
    twice = cake(f'{{{head},"spec":{{"size":1,"size":2}}}}', "Strict")
    said = 'Cake in version "v1" cannot be handled as a Cake: '
    assert isinstance(twice, Undecodable)
    assert twice.message == said + 'strict decoding error: duplicate field "spec.size"'


@pytest.mark.parametrize(
    ("body", "media", "said"),
    [
        (
            "apiVersion: baking.example.com/v1\nkind: Cake\nmetadata: {name: y}\n",
            "yaml",
            (
                'Cake in version "v1" cannot be handled as a Cake:'
                " json: cannot unmarshal bool into Go struct field ObjectMeta.name of type string"
            ),
        ),
        (
            '{"apiVersion":"baking.example.com/v9","kind":"Cake"}',
            "json",
            (
                "the API version in the data (baking.example.com/v9) does not match the expected API version"
                " (baking.example.com/v1)"
            ),
        ),
        (
            '{"apiVersion":"baking.example.com/v1"}',
            "json",
            (
                "the object provided is unrecognized (must be of type Cake): Object 'Kind' is missing in"
                """ '{"apiVersion":"baking.example.com/v1"}' ({"apiVersion":"baking.example. ...)"""
            ),
        ),
    ],
)
def test_a_custom_object_that_is_none_is_refused(body: str, media: Media, said: str) -> None:
    found = cake(body, "Warn", media)
    assert isinstance(found, Undecodable)
    assert found.message == said
