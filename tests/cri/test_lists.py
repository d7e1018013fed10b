"""Lists and their filters, at once and streamed: all that a filter says must be so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cri_server import Client, RefusedError, container_config

from podward.api import cri_image_requests as of_images
from podward.api import cri_requests as cri
from podward.api.cri import ImageSpec
from podward.api.cri_status import ContainerFilter, ImageFilter, PodSandboxFilter

pytestmark = pytest.mark.needs("root", "crun", "conmon", "catatonit", "busybox")


@pytest.fixture
def pods(client: Client) -> Iterator[dict[str, str]]:
    """Two ready sandboxes and one that was stopped."""
    made = {name: client.run_sandbox(name, labels={"app": name, "all": "yes"}) for name in ("one", "two", "stopped")}
    client.ask(cri.StopPodSandboxRequest(made["stopped"]), cri.StopPodSandboxResponse)
    yield made
    for sandbox in made.values():
        client.end(sandbox)


def sandboxes(client: Client, wanted: PodSandboxFilter | None) -> list[str]:
    """What the filter finds: it must find the same when it is streamed."""
    listed = client.ask(cri.ListPodSandboxRequest(wanted), cri.ListPodSandboxResponse).items
    request = cri.StreamPodSandboxesRequest(wanted)
    streamed = client.stream("StreamPodSandboxes", request, cri.StreamPodSandboxesResponse)
    assert [each for part in streamed for each in part.pod_sandboxes] == list(listed)
    return [each.metadata.name for each in listed]


def containers(client: Client, wanted: ContainerFilter | None) -> list[str]:
    listed = client.ask(cri.ListContainersRequest(wanted), cri.ListContainersResponse).containers
    streamed = client.stream("StreamContainers", cri.StreamContainersRequest(wanted), cri.StreamContainersResponse)
    assert [each for part in streamed for each in part.containers] == list(listed)
    return [each.metadata.name for each in listed]


def test_sandboxes_are_found_by_state_label_and_id(client: Client, pods: dict[str, str]) -> None:
    assert sandboxes(client, None) == ["one", "two", "stopped"]
    assert sandboxes(client, PodSandboxFilter(state="SANDBOX_READY")) == ["one", "two"]
    assert sandboxes(client, PodSandboxFilter(state="SANDBOX_NOTREADY")) == ["stopped"]
    assert sandboxes(client, PodSandboxFilter(label_selector={"app": "two", "all": "yes"})) == ["two"]
    assert sandboxes(client, PodSandboxFilter(label_selector={"app": "two", "all": "no"})) == []
    assert sandboxes(client, PodSandboxFilter(id=pods["one"][:12])) == ["one"]
    assert sandboxes(client, PodSandboxFilter(id=pods["one"], state="SANDBOX_NOTREADY")) == []


def test_containers_are_found_by_state_label_id_and_sandbox(client: Client, pods: dict[str, str], image: str) -> None:
    first = client.start(pods["one"], container_config(image, "sleep", "1000", name="a", labels={"x": "1"}), "one")
    client.create(pods["two"], container_config(image, "sleep", "1000", name="b", labels={"x": "2"}), "two")
    ended = client.start(pods["two"], container_config(image, "true", name="c"), "two")
    client.ended(ended)
    assert containers(client, None) == ["a", "b", "c"]
    assert containers(client, ContainerFilter(state="CONTAINER_RUNNING")) == ["a"]
    assert containers(client, ContainerFilter(state="CONTAINER_CREATED")) == ["b"]
    assert containers(client, ContainerFilter(state="CONTAINER_EXITED")) == ["c"]
    assert containers(client, ContainerFilter(pod_sandbox_id=pods["two"])) == ["b", "c"]
    assert containers(client, ContainerFilter(label_selector={"x": "2"})) == ["b"]
    assert containers(client, ContainerFilter(id=first[:10])) == ["a"]


def test_a_long_list_is_streamed_in_parts(client: Client) -> None:
    made = [client.run_sandbox(f"many-{number}") for number in range(35)]
    try:
        stream = client.stream("StreamPodSandboxes", cri.StreamPodSandboxesRequest(), cri.StreamPodSandboxesResponse)
        parts = [len(part.pod_sandboxes) for part in stream]
        assert sum(parts) == 35
        assert len(parts) > 1
        assert 0 not in parts
    finally:
        for sandbox in made:
            client.end(sandbox)


def test_an_empty_list_is_streamed_without_a_part(client: Client) -> None:
    wanted = cri.StreamContainersRequest(ContainerFilter(id="f" * 64))
    assert list(client.stream("StreamContainers", wanted, cri.StreamContainersResponse)) == []


def test_images_are_listed_by_name(client: Client, image: str) -> None:
    found = client.ask(of_images.ListImagesRequest(), of_images.ListImagesResponse).images
    (one,) = client.ask(of_images.ListImagesRequest(ImageFilter(ImageSpec(image))), of_images.ListImagesResponse).images
    assert one in found
    assert one.repo_tags == (image,)
    stream = client.stream("StreamImages", of_images.StreamImagesRequest(), of_images.StreamImagesResponse)
    assert [each for part in stream for each in part.images] == list(found)


def test_a_container_of_an_image_that_is_not_here_is_refused(client: Client, sandbox: str) -> None:
    with pytest.raises(RefusedError) as caught:
        client.create(sandbox, container_config("localhost/no-such:1"))
    assert caught.value.code == "NOT_FOUND"
