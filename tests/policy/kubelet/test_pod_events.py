"""The events of a kubelet: their words, and what they are about."""

from tests.policy.kubelet.pods_seen import container, pod

from podward.policy.kubelet import pod_events
from podward.policy.kubelet.pod_events import PodEvent
from podward.schema.view import pod_view


def test_an_event_names_what_it_is_about() -> None:
    document = pod("a", inits=(container("i"),), ephemeralContainers=[container("e")])
    assert [pod_events.field_of(document, name) for name in "aiez"] == [
        "spec.containers{a}",
        "spec.initContainers{i}",
        "spec.ephemeralContainers{e}",
        "implicitly required container z",
    ]


def test_the_words_are_the_kubelets() -> None:
    assert pod_events.pulled("busybox", 1.2345, 2.0, 42).message == (
        'Successfully pulled image "busybox" in 1.234s (2s including waiting). Image size: 42 bytes.'
    )
    assert pod_events.crashed(pod_view(pod("a")), "a") == PodEvent(
        "Warning", "BackOff", "Back-off restarting failed container a in pod foo_new(12345678)"
    )
    assert pod_events.PULL_FAILED.about(image='"x{y}"', why="{z}").message == 'Failed to pull image "x{y}": {z}'


def test_the_same_said_again_is_the_same() -> None:
    said = pod_events.FAILED.about(why=pod_events.one_line("cannot start deadbeef:\nno such file"))
    assert pod_events.without_id(said, "deadbeef", "a").message == "Error: cannot start a: no such file"
