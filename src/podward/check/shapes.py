"""Findings about plain workloads: each shape is judged once.

Of a plain workload, policies and hints look at few things: security contexts, what is shared with the node, its paths
and its ports. Most workloads of a repository have these in common with others and differ in names, images and settings.
Such a shape is judged as a workload that has nothing else, with stand-ins for names; what is found about it is found
about every workload of the shape, at its own lines and under its own names.
"""

from __future__ import annotations

from typing import TypeAlias, TypeVar

from msgspec import Struct, convert, to_builtins

from podward.api.core import Container, ContainerPort, ObjectMeta, Pod, PodSecurityContext, PodSpec, SecurityContext
from podward.api.document import Document
from podward.api.explanation import Change
from podward.api.finding import Finding, Severity, Subject
from podward.api.plain.parts import Part, PlainContainer, PlainPodSecurityContext, PlainSecurityContext, PlainSpec
from podward.api.plain.plain import Plain
from podward.api.volume import EmptyDir, HostPath, Volume
from podward.api.workload import DEFAULT_NAMESPACE, TEMPLATES, PodSource
from podward.check.held import Held, Mode
from podward.check.judging import judge_sound
from podward.path import Path

T = TypeVar("T")
_MOST_SHAPES = 10_000
"""Kept at a time: a hostile repository could have as many as it has workloads."""


class _ContainerShape(Struct, frozen=True, gc=False):
    """What matters of a container; of its ports those of the node, by their index."""

    context: PlainSecurityContext | None
    host_ports: tuple[tuple[int, int], ...]


class _Shape(Struct, frozen=True, gc=False):
    """What matters of a workload: `hosts` are network, processes, IPC; `host_paths` indexes of volumes.

    `place` is where in its object the Pod, or its template, is.
    """

    place: Path
    context: PlainPodSecurityContext | None
    hosts: tuple[bool | None, bool | None, bool | None]
    host_paths: tuple[int, ...]
    containers: tuple[_ContainerShape, ...]
    init_containers: tuple[_ContainerShape, ...]


class _Form(Struct, frozen=True, gc=False):
    """A finding about a shape; numbers are those of the names that it stands for, the first the container's."""

    rule: str
    severity: Severity
    path: Path
    container: int
    message: str
    named: tuple[int, ...]
    policy: str
    remedy: str
    changes: tuple[Change, ...]


_Known: TypeAlias = dict[_Shape, tuple[_Form, ...]]


class Shapes:
    """The shapes that were met so far, of workloads that are held to the same policies."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._in_namespace: dict[str, _Known] = {}
        self._under: dict[tuple[Mode, ...], _Known] = {}

    def findings(self, workload: Plain, document: Document, index: int) -> list[Finding] | None:
        """What is wrong with the workload in this document; None if that takes looking at it in full."""
        if self._held.scc is not None:
            return None
        namespace = self._held.namespace_for(workload.namespace or DEFAULT_NAMESPACE, said=workload.says_namespace)
        known = self._in_namespace.get(namespace)
        if known is None:
            # Most namespaces have the same policy, and what is found under it is the same then.
            known = self._in_namespace[namespace] = self._under.setdefault(self._held.modes(namespace), {})
        shape = _shape(workload)
        forms = known.get(shape)
        if forms is None:
            if len(known) >= _MOST_SHAPES:
                known.clear()
            forms = known[shape] = _forms(shape, namespace, self._held)
        if not forms:
            return []
        names = _names(workload.spec)
        subject = Subject(workload.kind, namespace, workload.name)
        return [_finding(form, document, index, subject, names) for form in forms]


def _finding(form: _Form, document: Document, index: int, subject: Subject, names: list[str]) -> Finding:
    message = form.message
    for number in form.named:
        message = message.replace(_stand_in(number), names[number])
    if form.container >= 0:
        subject = Subject(subject.kind, subject.namespace, subject.name, names[form.container])
    return Finding(
        form.rule,
        form.severity,
        document.name,
        document.inside(form.path)[0],
        index,
        form.path,
        subject,
        message,
        form.policy,
        form.remedy,
        form.changes,
    )


# --- from a workload to its shape -------------------------------------------------------------------------------------


def _shape(workload: Plain) -> _Shape:
    spec = workload.spec
    return _Shape(
        TEMPLATES[workload.kind],
        _without_groups(spec.security_context),
        (spec.host_network, spec.host_pid, spec.host_ipc),
        tuple([index for index, volume in enumerate(spec.volumes) if volume.host_path]) if spec.volumes else (),
        tuple([_container_shape(container) for container in spec.containers]),
        tuple([_container_shape(container) for container in spec.init_containers]) if spec.init_containers else (),
    )


def _without_groups(context: PlainPodSecurityContext | None) -> PlainPodSecurityContext | None:
    """The Pod's context without what only volumes and SCCs care about: the groups beside the first."""
    if context is None or (context.fs_group is None and context.supplemental_groups is None):
        return context
    return PlainPodSecurityContext(
        run_as_user=context.run_as_user,
        run_as_group=context.run_as_group,
        run_as_non_root=context.run_as_non_root,
        seccomp_profile=context.seccomp_profile,
        app_armor_profile=context.app_armor_profile,
    )


def _container_shape(container: PlainContainer) -> _ContainerShape:
    ports = container.ports
    if not ports:
        return _ContainerShape(container.security_context, ())
    taken = [(index, port.host_port) for index, port in enumerate(ports) if port.host_port]
    return _ContainerShape(container.security_context, tuple(taken))


def _names(spec: PlainSpec) -> list[str]:
    """The names that findings may say: containers', init containers', volumes'."""
    names = [container.name for container in spec.containers]
    if spec.init_containers:
        names += [container.name for container in spec.init_containers]
    if spec.volumes:
        names += [volume.name for volume in spec.volumes]
    return names


# --- judging a shape --------------------------------------------------------------------------------------------------


def _forms(shape: _Shape, namespace: str, held: Held) -> tuple[_Form, ...]:
    """What is wrong with every workload of the shape."""
    pod = _pod(shape, namespace)
    source = PodSource(_NOWHERE, shape.place, {}, pod, _NAME, _NAME)
    found = judge_sound(source, 0, held)
    if not found:
        return ()
    count = len(shape.containers) + len(shape.init_containers) + len(pod.spec.volumes or ())
    stand_ins = [_stand_in(number) for number in range(count)]
    return tuple([_form(finding, stand_ins) for finding in found])


def _form(finding: Finding, stand_ins: list[str]) -> _Form:
    container = finding.subject.container
    return _Form(
        finding.rule,
        finding.severity,
        finding.path,
        stand_ins.index(container) if container else -1,
        finding.message,
        tuple(number for number, stand_in in enumerate(stand_ins) if stand_in in finding.message),
        finding.policy,
        finding.remedy,
        finding.changes,
    )


def _pod(shape: _Shape, namespace: str) -> Pod:
    """The smallest Pod of the shape."""
    regular = len(shape.containers)
    before = regular + len(shape.init_containers)
    network, processes, ipc = shape.hosts
    spec = PodSpec(
        containers=_containers(shape.containers, 0),
        init_containers=_containers(shape.init_containers, regular),
        volumes=tuple(_volume(shape, index, before) for index in range(max(shape.host_paths, default=-1) + 1)),
        security_context=_as_view(shape.context, PodSecurityContext),
        host_network=network,
        host_pid=processes,
        host_ipc=ipc,
    )
    return Pod(ObjectMeta(name=_NAME, namespace=namespace), spec)


def _containers(shapes: tuple[_ContainerShape, ...], first: int) -> tuple[Container, ...]:
    return tuple(
        [
            Container(
                _stand_in(number),
                image=_NAME,
                ports=_ports(shape),
                security_context=_as_view(shape.context, SecurityContext),
            )
            for number, shape in enumerate(shapes, first)
        ]
    )


def _as_view(part: Part | None, as_type: type[T]) -> T | None:
    """A part of a plain Pod as every rule knows it."""
    return None if part is None else convert(to_builtins(part), as_type)


def _ports(shape: _ContainerShape) -> tuple[ContainerPort, ...]:
    taken = dict(shape.host_ports)
    return tuple(ContainerPort(host_port=taken.get(index)) for index in range(max(taken, default=-1) + 1))


def _volume(shape: _Shape, index: int, before: int) -> Volume:
    name = _stand_in(before + index)
    return Volume(name, host_path=HostPath("/")) if index in shape.host_paths else Volume(name, empty_dir=EmptyDir())


def _stand_in(number: int) -> str:
    """A name that no other text of a shape contains: these have no digits. All have one length: none is in another."""
    return f"name-{number:06d}"


_NAME = "shape"
_NOWHERE = Document("", {}, lines={"metadata": (1, {"namespace": 1})})
"""Where a shape says its namespace: a check's default one is not for it."""
