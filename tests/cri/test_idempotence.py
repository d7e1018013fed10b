"""Stopping and removing succeed whatever is there: a kubelet does both again and again."""

from __future__ import annotations

import pytest
from cri_server import Client, RefusedError, container_config, sandbox_config

from podward.api import cri_image_requests as of_images
from podward.api import cri_requests as cri
from podward.api.cri import ImageSpec, Message

pytestmark = pytest.mark.needs("root", "crun", "conmon", "catatonit", "busybox")
NOBODY = "e" * 64


def stop(client: Client, container: str) -> None:
    client.ask(cri.StopContainerRequest(container, 0), cri.StopContainerResponse)


def remove(client: Client, container: str) -> None:
    client.ask(cri.RemoveContainerRequest(container), cri.RemoveContainerResponse)


@pytest.mark.parametrize("word", [NOBODY, "abc"])
def test_what_never_was_is_stopped_and_removed(client: Client, word: str) -> None:
    stop(client, word)
    remove(client, word)
    client.end(word)


def test_a_container_is_stopped_and_removed_twice(client: Client, sandbox: str, image: str) -> None:
    container = client.start(sandbox, container_config(image, "sleep", "1000"))
    for _ in range(2):
        stop(client, container)
    for _ in range(2):
        remove(client, container)
    with pytest.raises(RefusedError) as caught:
        client.status(container)
    assert caught.value.code == "NOT_FOUND"


def test_a_sandbox_is_stopped_and_removed_twice(client: Client) -> None:
    sandbox = client.run_sandbox("twice")
    client.end(sandbox)
    client.end(sandbox)


def test_a_sandbox_goes_with_the_containers_that_run_in_it(client: Client, image: str) -> None:
    sandbox = client.run_sandbox("goes")
    container = client.start(sandbox, container_config(image, "sleep", "1000"), "goes")
    client.end(sandbox)
    listed = client.ask(cri.ListContainersRequest(), cri.ListContainersResponse).containers
    assert container not in {each.id for each in listed}


def test_a_name_is_taken_while_its_sandbox_is_there(client: Client, sandbox: str) -> None:
    with pytest.raises(RefusedError) as caught:
        client.run_sandbox()
    assert caught.value.code == "ALREADY_EXISTS"
    assert sandbox in caught.value.message


def test_an_image_that_is_not_here_is_removed_and_has_no_status(client: Client) -> None:
    spec = ImageSpec("localhost/no-such:1")
    client.ask(of_images.RemoveImageRequest(spec), of_images.RemoveImageResponse)
    assert client.ask(of_images.ImageStatusRequest(spec), of_images.ImageStatusResponse).image is None


WANTING: tuple[tuple[Message, type[Message]], ...] = (
    (cri.StartContainerRequest(NOBODY), cri.StartContainerResponse),
    (cri.ContainerStatusRequest(NOBODY), cri.ContainerStatusResponse),
    (cri.ReopenContainerLogRequest(NOBODY), cri.ReopenContainerLogResponse),
    (cri.ExecSyncRequest(NOBODY, ("id",)), cri.ExecSyncResponse),
    (cri.ExecRequest(NOBODY, ("id",), stdout=True), cri.ExecResponse),
    (cri.AttachRequest(NOBODY, stdout=True), cri.AttachResponse),
    (cri.UpdatePodSandboxResourcesRequest(NOBODY), cri.UpdatePodSandboxResourcesResponse),
    (cri.PortForwardRequest(NOBODY), cri.PortForwardResponse),
    (cri.CreateContainerRequest(NOBODY, container_config("x"), sandbox_config()), cri.CreateContainerResponse),
)


@pytest.mark.parametrize(("request_", "response"), WANTING, ids=lambda value: type(value).__name__)
def test_everything_else_wants_what_is_there(client: Client, request_: Message, response: type[Message]) -> None:
    with pytest.raises(RefusedError) as caught:
        client.ask(request_, response)
    assert caught.value.code == "NOT_FOUND"
