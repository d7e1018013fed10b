"""The differences between explanations: effective values and system calls, container by container.

Only the values of the last two stages are compared: the runtime spec and the predicted process. A Pod that comes to the
same values in another way does not differ. What is unknown on all sides is the same where the image is; that of
two images differs.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.explanation import ContainerExplanation, Stage
from podward.api.oci import Seccomp, SeccompRule
from podward.decision import Unknown
from podward.path import path
from podward.render.explain.row_types import ContainerRows, PodRows, Refusal, Row, Step
from podward.render.explain.rows import ExplainedPod, rows_of

ABSENT = "-"
_FINAL = ("kernel", "oci", "sandbox", "volumes")
"""The stages whose values are compared, the last one first."""
_LISTS = frozenset(("namespaces", "masked paths", "read-only paths", "devices", "mounts", "groups", "rlimits"))
_NAME_OF_THE_POD = "env HOSTNAME"
"""The row that is the Pod's name again, in which any two Pods differ."""
_SECCOMP = path("linux", "seccomp")


class ValueDifference(Struct, frozen=True, gc=False):
    """A field whose values differ at a stage. `values` and `where` have one item for each side.

    `container` is empty if the field belongs to the Pod.
    """

    pod: str
    container: str
    field: str
    stage: str
    values: tuple[str, ...]
    where: tuple[str, ...]


class SyscallDifference(Struct, frozen=True, gc=False):
    """System calls with the same outcomes. There is one for each side: `allow`, `errno 1`, `allow if arg0 == 8`."""

    pod: str
    container: str
    outcomes: tuple[str, ...]
    calls: tuple[str, ...]


class Differences(Struct, frozen=True, gc=False):
    """All differences between the `sides`. `unknowns` is what hides values, which are unknown on whatever side."""

    sides: tuple[str, ...]
    values: tuple[ValueDifference, ...]
    calls: tuple[SyscallDifference, ...]
    unknowns: tuple[Unknown, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.values and not self.calls


def compare(sides: tuple[str, ...], explained: tuple[tuple[ExplainedPod, ...], ...]) -> Differences:
    """Compare the Pods of the sides: those of the same kind and name, or whatever Pods if each side has only one."""
    values: list[ValueDifference] = []
    calls: list[SyscallDifference] = []
    single = all(len(side) == 1 for side in explained)
    keyed = [{"" if single else _key(each): each for each in side} for side in explained]
    for key in dict.fromkeys(key for side in keyed for key in side):
        present = tuple(side.get(key) for side in keyed)
        name = next(each.pod.name for each in present if each is not None)
        if None in present:
            values.append(_presence(name, "", "Pod", tuple(each is not None for each in present)))
            continue
        pods = tuple(each for each in present if each is not None)
        values += _pod(name, pods)
        calls += _calls(name, pods)
    hidden = (unknown for side in explained for each in side for c in each.pod.containers for unknown in c.unknowns)
    return Differences(sides, tuple(values), tuple(calls), tuple(dict.fromkeys(hidden)))


def _key(explained: ExplainedPod) -> str:
    pod = explained.pod
    return f"{pod.kind} {pod.namespace}/{pod.name}"


def _presence(pod: str, container: str, field: str, there: tuple[bool, ...]) -> ValueDifference:
    words = tuple("present" if has else ABSENT for has in there)
    return ValueDifference(pod, container, field, "", words, ("",) * len(there))


def _pod(name: str, pods: tuple[ExplainedPod, ...]) -> list[ValueDifference]:
    shown = tuple(rows_of(pod) for pod in pods)
    found = _rows(name, "", tuple(pod.rows for pod in shown), ()) + _refused(
        name, "", tuple(pod.refusals for pod in shown)
    )
    for container, sides in _containers(shown):
        if None in sides:
            found.append(_presence(name, container, "container", tuple(side is not None for side in sides)))
            continue
        there = tuple(side for side in sides if side is not None)
        images = tuple(side.image for side in there)
        found += _rows(name, container, tuple(side.rows for side in there), images if len(set(images)) > 1 else ())
        found += _refused(name, container, tuple(side.refusals for side in there))
    return found


def _containers(pods: tuple[PodRows, ...]) -> list[tuple[str, tuple[ContainerRows | None, ...]]]:
    """Containers of the same name; if each Pod has only one container, these."""
    single = all(len(pod.containers) == 1 for pod in pods)
    keyed = [{"" if single else each.name: each for each in pod.containers} for pod in pods]
    names = dict.fromkeys(name for side in keyed for name in side)
    return [(name or pods[0].containers[0].name, tuple(side.get(name) for side in keyed)) for name in names]


def _rows(
    pod: str, container: str, sides: tuple[tuple[Row, ...], ...], images: tuple[str, ...]
) -> list[ValueDifference]:
    """The rows that differ; `images` are those of the sides where they are not the same."""
    keyed = [{row.name: row for row in rows} for rows in sides]
    found: list[ValueDifference] = []
    for name in dict.fromkeys(row.name for rows in sides for row in rows if row.name != _NAME_OF_THE_POD):
        rows = tuple(side.get(name) for side in keyed)
        for stage in _FINAL:
            steps = tuple(_at(row, stage) for row in rows)
            values = tuple(
                _text(step, images[at] if images else "") if step is not None else ABSENT
                for at, step in enumerate(steps)
            )
            if len({tuple(sorted(items(name, value))) for value in values}) > 1:
                where = tuple(_where(step) for step in steps)
                found.append(ValueDifference(pod, container, name, stage, values, where))
                break  # an earlier stage does not count
    return found


def items(field: str, value: str) -> list[str]:
    """The items of a list whose order does not matter; any other value as one item."""
    if field in _LISTS or field.startswith("caps "):
        return value.rpartition(": ")[2].split(" ")
    return [value]


def _text(step: Step, image: str) -> str:
    """The value; where it is not known, with the image that would say it."""
    return f"{step.text} ({image})" if image and any(part.unknown for part in step.parts) else step.text


def _at(row: Row | None, stage: str) -> Step | None:
    return next((step for step in row.steps if step.stage == stage), None) if row is not None else None


def _where(step: Step | None) -> str:
    return ", ".join(dict.fromkeys(part.where for part in step.parts)) if step is not None else ""


def _refused(pod: str, container: str, sides: tuple[tuple[Refusal, ...], ...]) -> list[ValueDifference]:
    reasons = tuple("; ".join(refusal.reason for refusal in side) or ABSENT for side in sides)
    if len(set(reasons)) == 1:
        return []
    stage = next(refusal.stage for side in sides for refusal in side)
    where = tuple(", ".join(dict.fromkeys(refusal.where for refusal in side)) for side in sides)
    return [ValueDifference(pod, container, "refused", stage, reasons, where)]


# --- system calls -------------------------------------------------------------------------------------------------


def _calls(pod: str, sides: tuple[ExplainedPod, ...]) -> list[SyscallDifference]:
    found: list[SyscallDifference] = []
    single = all(len(side.pod.containers) == 1 for side in sides)
    keyed = [{"" if single else c.name: c for c in side.pod.containers} for side in sides]
    for name in keyed[0]:
        containers = tuple(side[name] for side in keyed if name in side)
        if len(containers) == len(sides) and all(_has_spec(container) for container in containers):
            found += _compared(pod, containers[0].name, tuple(_filter(container) for container in containers))
    return found


def _oci(container: ContainerExplanation) -> Stage | None:
    return next((stage for stage in container.stages if stage.name == "oci"), None)


def _has_spec(container: ContainerExplanation) -> bool:
    stage = _oci(container)
    return stage is not None and not stage.decision.refused


def _filter(container: ContainerExplanation) -> Seccomp | None:
    stage = _oci(container)
    assigned = stage.decision.assignment(_SECCOMP) if stage is not None else None
    return assigned.value if assigned is not None and isinstance(assigned.value, Seccomp) else None


def _compared(pod: str, container: str, filters: tuple[Seccomp | None, ...]) -> list[SyscallDifference]:
    if all(one == filters[0] for one in filters):
        return []
    tables = [_outcomes(one) for one in filters]
    grouped: dict[tuple[str, ...], list[str]] = {}
    others = tuple(_default(one) for one in filters)
    for call in sorted({call for table in tables for call in table}):
        outcomes = tuple(table.get(call, other) for table, other in zip(tables, others, strict=True))
        if len(set(outcomes)) > 1:
            grouped.setdefault(outcomes, []).append(call)
    if len(set(others)) > 1:
        grouped.setdefault(others, []).append("all others")
    return [SyscallDifference(pod, container, outcomes, tuple(calls)) for outcomes, calls in grouped.items()]


def _default(one: Seccomp | None) -> str:
    return "allow" if one is None else _action(one.default_action, one.default_errno_ret)


def _outcomes(one: Seccomp | None) -> dict[str, str]:
    """The outcome of each system call that the filter names."""
    if one is None:
        return {}
    found: dict[str, list[str]] = {}
    for rule in one.syscalls:
        outcome = _action(rule.action, rule.errno_ret) + _condition(rule)
        for name in rule.names:
            found.setdefault(name, []).append(outcome)
    return {name: ", ".join(sorted(set(outcomes))) for name, outcomes in found.items()}


def _action(action: str, errno: int | None) -> str:
    """An action as text: `allow`, `errno 1`. Without a number libseccomp uses EPERM."""
    word = action.removeprefix("SCMP_ACT_").lower()
    return f"{word} {1 if errno is None else errno}" if word == "errno" else word


_OPERATORS = {
    "SCMP_CMP_EQ": "==",
    "SCMP_CMP_NE": "!=",
    "SCMP_CMP_LT": "<",
    "SCMP_CMP_LE": "<=",
    "SCMP_CMP_GT": ">",
    "SCMP_CMP_GE": ">=",
}


def _condition(rule: SeccompRule) -> str:
    texts = []
    for argument in rule.args:
        if argument.op == "SCMP_CMP_MASKED_EQ":
            texts.append(f"arg{argument.index} & {argument.value:#x} == {argument.value_two:#x}")
        else:
            texts.append(f"arg{argument.index} {_OPERATORS.get(argument.op, argument.op)} {argument.value}")
    return f" if {' and '.join(texts)}" if texts else ""
