"""A Path prints as Kubernetes prints field paths, and as an RFC 6901 pointer."""

from podward.path import Key, Path, path


def test_fields_and_indexes_print_as_kubernetes_prints_them() -> None:
    place = path("spec", "containers", 0, "securityContext", "runAsUser")
    assert str(place) == "spec.containers[0].securityContext.runAsUser"


def test_a_key_that_is_data_prints_in_brackets() -> None:
    place = path("metadata", "annotations", Key("example.com/a"))
    assert str(place) == "metadata.annotations[example.com/a]"


def test_the_pointer_escapes_slash_and_tilde() -> None:
    assert path("metadata", "annotations", Key("a/b~c")).pointer == "/metadata/annotations/a~1b~0c"
    assert Path().pointer == ""


def test_a_place_starts_with_itself_and_its_parents_only() -> None:
    place = path("spec", "containers", 1)
    assert place.startswith(place)
    assert place.startswith(path("spec"))
    assert not place.startswith(path("spec", "containers", 10))
