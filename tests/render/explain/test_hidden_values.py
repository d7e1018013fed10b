"""What an explanation leaves out: values of variables, Secrets and ConfigMaps, and words made of them."""

from __future__ import annotations

import pytest

from podward.api.content import FieldContent
from podward.api.cri import KeyValue
from podward.api.explanation import ContainerExplanation, PodExplanation, Stage
from podward.decision import Assignment, Decision, Origin, Source, Violation
from podward.documents.document import Document
from podward.documents.reader import decode_documents
from podward.path import Path, path
from podward.policy.kubelet.volume_files import VolumeFile
from podward.render.explain.hidden_values import text_without_values, without_values
from podward.render.written_words import HIDDEN

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MANIFEST, DEFAULT = Source(Origin.MANIFEST, "p.yaml"), Source(Origin.DEFAULT, "containerd")


def explained(*stages: Stage, written: list[str]) -> PodExplanation:
    raw = {"spec": {"containers": [{"name": "c", "command": written}]}}
    container = ContainerExplanation("c", "regular", path("spec", "containers", 0), "i", stages)
    pod = PodExplanation("p", "default", "Pod", "p.yaml", Path(), (), (container,))
    return without_values(pod, Document("p.yaml", raw))  # type: ignore[arg-type]  # JSON


def test_variables_and_words_made_of_them_are_hidden_and_the_rest_stays() -> None:
    cri = Decision(
        (
            Assignment(path("envs", 0), KeyValue("P", "carrot"), "env", MANIFEST),
            Assignment(path("command"), ("sh", "carrot!"), "command", MANIFEST),
        )
    )
    oci = Decision(
        (
            Assignment(path("process", "args"), ("sh", "carrot!"), "command", MANIFEST),
            Assignment(path("process", "env", 0), "PATH=/bin", "the runtime's own", DEFAULT),
            Assignment(path("process", "env", 1), "P=carrot", "env", MANIFEST),
        )
    )
    shown = explained(Stage("cri", cri), Stage("oci", oci), written=["sh", "$(P)!"])
    values = [a.value for stage in shown.containers[0].stages for a in stage.decision.assignments]
    assert values == [KeyValue("P", HIDDEN), ("sh", "$(P)!"), ("sh", "$(P)!"), "PATH=/bin", f"P={HIDDEN}"]


def test_words_that_were_not_written_here_are_hidden() -> None:
    cri = Decision((Assignment(path("command"), ("sh", "carrot!"), "command", MANIFEST),))
    shown = explained(Stage("cri", cri), written=[])
    assert shown.containers[0].stages[0].decision.assignments[0].value == (HIDDEN, HIDDEN)


def test_a_refusal_names_a_word_as_it_was_written() -> None:
    cri = Decision((Assignment(path("command"), ("/bin/carrot", "carrot"), "command", MANIFEST),))
    sentence = '"/bin/carrot" is not there, nor is carrot; carrots are no matter'
    kernel = Decision(violations=(Violation(path("process", "args", 0), "/bin/carrot", sentence, DEFAULT),))
    shown = explained(Stage("cri", cri), Stage("kernel", kernel), written=["/bin/$(P)", r"$(P)\1"])
    (violation,) = shown.containers[0].stages[1].decision.violations
    assert violation.value == "/bin/$(P)"
    assert violation.reason == '"/bin/$(P)" is not there, nor is $(P)\\1; carrots are no matter'


def test_text_of_the_downward_api_is_hidden() -> None:
    file = VolumeFile("notes", 0o644, FieldContent("carrot"))
    decided = Decision((Assignment(path("spec", "volumes", 0, "downwardAPI", "files", 0), file, "", MANIFEST),))
    pod = PodExplanation("p", "default", "Pod", "p.yaml", Path(), (Stage("volumes", decided),), ())
    assert "carrot" not in repr(without_values(pod, Document("p.yaml", {})))


@pytest.mark.parametrize(
    "text",
    [
        "kind: Pod\nspec:\n  containers:\n  - env:\n    - name: A\n      value: carrot\n    - name: B\n",
        "kind: Pod\nspec: {containers: [{env: [{name: A, value: carrot}, {value: 'car''rot', name: B}]}]}\n",
        "kind: Secret\nstringData:\n  a: |\n    carrot\n\n    carrot\n  b: carrot\nmetadata: {name: s}\n",
        "kind: Secret\ndata: {a: carrot}\n---\nkind: Secret\nstringData: {a: carrot}\n",
        'kind: ConfigMap\ndata:\n  a: "\\x63arrot carrot\n    carrot"\n  z: x\n',
        f"kind: Pod\nmetadata:\n  annotations:\n    {APPLIED}: |\n      {{carrot}}\nspec: {{}}\n",
        "kind: List\nitems:\n- kind: Secret\n  data:\n    a: carrot\n",
    ],
)
def test_no_value_stands_in_the_text_of_a_manifest(text: str) -> None:
    documents = decode_documents(text.encode(), "p.yaml")
    shown = text_without_values(text, documents)
    assert "rot" not in shown.replace("carrot", "rot")
    assert HIDDEN in shown
    assert len(shown.split("\n")) == len(text.split("\n"))
