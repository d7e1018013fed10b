"""What Go's JSON decoder says about a Pod, to the letter."""

from __future__ import annotations

import json

import pytest

from podward.api.json_value import Json, JsonObject
from podward.errors import InputError
from podward.schema.godecode.decoding import Decoded, GoDecodeError, decode
from podward.schema.godecode.gotypes import GoType, fields_of, way_to
from podward.schema.godecode.tree import read

INTO = "into Go struct field"
QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
CONTEXT = "SecurityContext.spec.containers.securityContext"


def decoded(text: str) -> Decoded:
    return decode(read(text.encode()), "Pod")


def error(text: str) -> str:
    with pytest.raises(GoDecodeError) as raised:
        decoded(text)
    return str(raised.value)


def of_container(fields: str) -> str:
    return f'{{"spec":{{"containers":[{{"name":"c"}},{{{fields}}}]}}}}'


@pytest.mark.parametrize(
    ("pod", "said"),
    [
        ('"p"', "json: cannot unmarshal string into Go value of type v1.Pod"),
        ("[]", "json: cannot unmarshal array into Go value of type v1.Pod"),
        ('{"kind":3}', f"json: cannot unmarshal number {INTO} Pod.TypeMeta.kind of type string"),
        ('{"spec":[]}', f"json: cannot unmarshal array {INTO} Pod.spec of type v1.PodSpec"),
        (
            '{"spec":{"hostNetwork":"yes"}}',
            f"json: cannot unmarshal string {INTO} PodSpec.spec.hostNetwork of type bool",
        ),
        (
            '{"spec":{"containers":{}}}',
            f"json: cannot unmarshal object {INTO} PodSpec.spec.containers of type []v1.Container",
        ),
        (
            '{"spec":{"containers":["c"]}}',
            f"json: cannot unmarshal string {INTO} PodSpec.spec.containers of type v1.Container",
        ),
        (
            '{"metadata":{"labels":{"a":1}}}',
            f"json: cannot unmarshal number {INTO} ObjectMeta.metadata.labels of type string",
        ),
        (
            '{"metadata":{"labels":["a"]}}',
            f"json: cannot unmarshal array {INTO} ObjectMeta.metadata.labels of type map[string]string",
        ),
        (
            '{"metadata":{"creationTimestamp":5}}',
            f"json: cannot unmarshal number {INTO} ObjectMeta.metadata.creationTimestamp of type string",
        ),
        (
            of_container('"resources":{"limits":[]}'),
            (
                f"json: cannot unmarshal array {INTO} ResourceRequirements.spec.containers.resources.limits of type"
                " v1.ResourceList"
            ),
        ),
        (
            of_container('"livenessProbe":{"httpGet":{"port":true}}'),
            (
                f"json: cannot unmarshal bool {INTO}"
                " HTTPGetAction.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32"
            ),
        ),
        (
            of_container('"livenessProbe":{"exec":1}'),
            (
                f"json: cannot unmarshal number {INTO} Probe.spec.containers.livenessProbe.ProbeHandler.exec of type"
                " v1.ExecAction"
            ),
        ),
        (
            '{"spec":{"volumes":[{"configMap":{"name":1}}]}}',
            (
                f"json: cannot unmarshal number {INTO}"
                " ConfigMapVolumeSource.spec.volumes.VolumeSource.configMap.LocalObjectReference.name of type string"
            ),
        ),
        (
            '{"spec":{"ephemeralContainers":[{"securityContext":{"privileged":1}}]}}',
            (
                f"json: cannot unmarshal number {INTO}"
                " SecurityContext.spec.ephemeralContainers.EphemeralContainerCommon.securityContext.privileged of type"
                " bool"
            ),
        ),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_struct_and_place(pod: str, said: str) -> None:
    assert error(pod) == said


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ('"runAsUser":1.5', f"number 1.5 {INTO} {CONTEXT}.runAsUser of type int64"),
        ('"runAsUser":1e3', f"number 1e3 {INTO} {CONTEXT}.runAsUser of type int64"),
        ('"runAsUser":9223372036854775808', f"number 9223372036854775808 {INTO} {CONTEXT}.runAsUser of type int64"),
        ('"runAsUser":"1"', f"string {INTO} {CONTEXT}.runAsUser of type int64"),
        ('"capabilities":["a"]', f"array {INTO} {CONTEXT}.capabilities of type v1.Capabilities"),
        (
            '"capabilities":{"add":"x"}',
            f"string {INTO} Capabilities.spec.containers.securityContext.capabilities.add of type []v1.Capability",
        ),
        (
            '"capabilities":{"drop":[1]}',
            f"number {INTO} Capabilities.spec.containers.securityContext.capabilities.drop of type v1.Capability",
        ),
        ('"procMount":7', f"number {INTO} {CONTEXT}.procMount of type v1.ProcMountType"),
    ],
)
def test_a_security_context_of_another_type_is_refused(context: str, said: str) -> None:
    assert error(of_container(f'"securityContext":{{{context}}}')) == f"json: cannot unmarshal {said}"


def test_of_several_wrong_values_the_first_of_the_document_is_told() -> None:
    pods = ('{"spec":{"hostPID":1,"hostIPC":"a"}}', '{"spec":{"hostIPC":"a","hostPID":1}}')
    assert [error(pod).split()[-4] for pod in pods] == ["PodSpec.spec.hostPID", "PodSpec.spec.hostIPC"]


def test_a_type_that_decodes_itself_stops_the_decoder_and_its_error_wins() -> None:
    assert error('{"spec":{"hostPID":1,"overhead":{"cpu":"x"}}}') == QUANTITY
    assert error('{"spec":{"overhead":{"cpu":"x"},"hostPID":1}}') == QUANTITY
    assert "creationTimestamp" in error('{"metadata":{"creationTimestamp":1},"spec":{"overhead":{"cpu":"x"}}}')


def test_int32_has_its_own_bounds() -> None:
    place = "ContainerPort.spec.containers.ports.containerPort"
    assert error(of_container('"ports":[{"containerPort":2147483648}]')) == (
        f"json: cannot unmarshal number 2147483648 {INTO} {place} of type int32"
    )
    assert decoded(of_container('"ports":[{"containerPort":2147483647}]')).strict_errors == ()


def test_unknown_and_repeated_fields_are_collected_in_the_documents_order() -> None:
    found = decoded(
        '{"spec":{"containers":[{"name":"a","Name":"b","name":"c","securityContext":{"x":1}}],"y":2},"metadata":'
        '{"labels":{"a":"1","a":"2"}},"z":{},"z":{}}',
    )
    assert found.strict_errors == (
        'unknown field "spec.containers[0].Name"',
        'duplicate field "spec.containers[0].name"',
        'unknown field "spec.containers[0].securityContext.x"',
        'unknown field "spec.y"',
        'duplicate field "metadata.labels.a"',
        'unknown field "z"',
    )
    assert found.value == {
        "spec": {"containers": [{"name": "c", "securityContext": {}}]},
        "metadata": {"labels": {"a": "2"}},
    }


def test_no_more_than_a_hundred_strict_errors_are_collected() -> None:
    assert len(decoded(json.dumps({f"f{number}": 1 for number in range(150)})).strict_errors) == 100


def test_null_is_no_value_of_any_type() -> None:
    nothing: JsonObject = dict.fromkeys(fields_of("PodSpec"))
    assert decoded(json.dumps({"spec": nothing})).strict_errors == ()


@pytest.mark.parametrize(
    ("struct", "field", "name", "pointer", "omitted"),
    [
        ("Container", "name", "string", False, False),
        ("Container", "resources", "v1.ResourceRequirements", False, True),
        ("Container", "lifecycle", "v1.Lifecycle", True, True),
        ("Container", "ports", "[]v1.ContainerPort", False, True),
        ("Container", "restartPolicy", "v1.ContainerRestartPolicy", True, True),
        ("ContainerRestartRule", "action", "v1.ContainerRestartRuleAction", False, True),
        ("Capabilities", "add", "[]v1.Capability", False, True),
        ("GRPCAction", "service", "string", True, False),
        ("ObjectMeta", "uid", "types.UID", False, True),
        ("ObjectMeta", "labels", "map[string]string", False, True),
        ("ResourceRequirements", "limits", "v1.ResourceList", False, True),
        ("HTTPGetAction", "port", "intstr.IntOrString", False, False),
    ],
)
def test_a_field_has_its_go_type(*, struct: str, field: str, name: str, pointer: bool, omitted: bool) -> None:
    found = fields_of(struct)[field]
    assert (found.name, found.pointer, found.omitted) == (name, pointer, omitted)


def _wrong(wanted: GoType) -> tuple[Json, str]:
    """A value that this type isn't, and the JSON word for it."""
    if wanted.kind in {"string", "v1.Time"}:
        return 7, "number"
    if wanted.kind == "intstr.IntOrString":
        return True, "bool"
    return ("x", "string") if wanted.kind != "resource.Quantity" else ([], "array")


def _places(struct: str, way: tuple[str, ...]) -> list[tuple[tuple[str, ...], str, GoType]]:
    """Every field of every struct that a Pod's spec contains, once for each struct."""
    found: list[tuple[tuple[str, ...], str, GoType]] = []
    waiting, seen = [(struct, way)], {struct}
    while waiting:
        struct, way = waiting.pop()
        for name, wanted in fields_of(struct).items():
            found.append(((*way, name), struct, wanted))
            inner = wanted.element if wanted.kind == "slice" and wanted.element is not None else wanted
            if inner.kind == "struct" and inner.struct not in seen:
                seen.add(inner.struct)
                waiting.append((inner.struct, (*way, name + "[]") if wanted.kind == "slice" else (*way, name)))
    return found


def _around(way: tuple[str, ...], value: Json) -> Json:
    for name in reversed(way):
        value = {name.removesuffix("[]"): [value] if name.endswith("[]") else value}
    return value


def _printed(way: tuple[str, ...]) -> str:
    """The place as errors print it: with embedded structs, without indexes."""
    struct = "Pod"
    names: list[str] = []
    for segment in way:
        name = segment.removesuffix("[]")
        names += way_to(struct, name)
        wanted = fields_of(struct)[name]
        inner = wanted.element if wanted.kind == "slice" and wanted.element is not None else wanted
        if inner.kind == "struct":
            struct = inner.struct
    return ".".join(names)


def test_every_field_of_a_pod_refuses_what_it_is_not() -> None:
    places = _places("Pod", ())
    assert len(places) > 500
    for way, struct, wanted in places:
        value, word = _wrong(wanted)
        if wanted.kind == "v1.FieldsV1":
            continue
        said = error(json.dumps(_around(way, value)))
        path = _printed(way)
        start = f"json: cannot unmarshal {word} {INTO} {struct}.{path} of type "
        assert said == QUANTITY if wanted.kind == "resource.Quantity" else said.startswith(start), (way, said)


def test_every_field_of_a_pod_is_known_and_its_name_in_capitals_is_not() -> None:
    for way, _, _ in _places("Pod", ()):
        assert decoded(json.dumps(_around(way, None))).strict_errors == ()
        missed = decoded(json.dumps(_around((*way[:-1], way[-1].upper()), None))).strict_errors
        path = ".".join((*way[:-1], way[-1].upper())).replace("[]", "[0]")
        assert missed == (f'unknown field "{path}"',)


def test_what_is_no_json_is_bad_input() -> None:
    for text in (b"{", b"NaN", b"[" * 100_000):
        with pytest.raises(InputError):
            read(text)
