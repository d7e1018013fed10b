"""`check --compare` and `podward admit` agree: over random policies, each side's answer about a workload is admit's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as ManifestFile
from tempfile import TemporaryDirectory
from typing import Any  # objects here are JSON

import msgspec
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from proofs import examples

from podward.api.policy_change import ChangeKind, PolicyComparison, WorkloadOutcome
from podward.check.comparison import EFFECTS
from podward.check.judging import judge
from podward.check.pod_settings import settings_of_pod, settings_text
from podward.cli import given_pods, inputs, main, parser
from podward.cli.admitting import Admission
from podward.cli.checking import comparison
from podward.cli.checking.policies import CheckOptions
from podward.cli.checking.settings import settings_of
from podward.cli.checking.sides import asked, sides
from podward.schema.view import pod_view
from podward.schema.workload import PodSource
from podward.stages.admission.order import Admitted, decide

SCC_ANNOTATION = "openshift.io/scc"
NAMESPACES = ("shop", "bank")
FIRSTS = (1000650000, 1000700000)
IDS = (0, 7, 1000650000, 1000650007, 1000700000, 70000)
LEVELS = ("privileged", "baseline", "restricted")
VERSIONS = ("latest", "v1.18", "v1.22", "v1.24", "v1.25", "v1.30")
LABEL = "pod-security.kubernetes.io/"
ACCOUNTS = ("default", "builder")


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


ranges = st.builds(lambda first, size: f"{first}/{size}", st.sampled_from(FIRSTS), st.sampled_from((8, 10000)))
ranged = st.fixed_dictionaries(
    {
        "openshift.io/sa.scc.uid-range": ranges,
        "openshift.io/sa.scc.mcs": st.sampled_from(("s0:c26,c5", "s0:c1,c0")),
    },
    optional={"openshift.io/sa.scc.supplemental-groups": ranges},
)
labels = some(
    **{f"{LABEL}{mode}": st.sampled_from(LEVELS) for mode in ("enforce", "warn", "audit")},
    **{f"{LABEL}{mode}-version": st.sampled_from(VERSIONS) for mode in ("enforce", "warn")},
)
capabilities = st.lists(st.sampled_from(("NET_BIND_SERVICE", "CAP_SYS_ADMIN", "CHOWN")), max_size=2, unique=True)
drops = st.lists(st.sampled_from(("ALL", "KILL", "MKNOD")), max_size=2, unique=True)
seldom = st.sampled_from((True, False, False, False, False, False))
profiles = st.sampled_from(({"type": "RuntimeDefault"}, {"type": "Unconfined"}))
selinux = some(level=st.sampled_from(("s0:c26,c5", "s0:c9,c8")), type=st.just("container_t"))
strategies = st.sampled_from(("RunAsAny", "MustRunAs"))
sccs = st.fixed_dictionaries(
    {
        "apiVersion": st.just("security.openshift.io/v1"),
        "kind": st.just("SecurityContextConstraints"),
        "metadata": st.sampled_from(({"name": "vendor"}, {"name": "team"}, {"name": "anyuid"})),
        "priority": st.sampled_from((None, 5, 20)),
        "allowPrivilegedContainer": st.booleans(),
        "runAsUser": st.sampled_from(
            (
                {"type": "RunAsAny"},
                {"type": "MustRunAsRange"},
                {"type": "MustRunAsNonRoot"},
                {"type": "MustRunAs", "uid": 7},
                {"type": "MustRunAsRange", "uidRangeMin": 1000650000, "uidRangeMax": 1000650009},
            )
        ),
        "seLinuxContext": st.builds(lambda kind: {"type": kind}, strategies),
        "fsGroup": st.sampled_from(
            ({"type": "RunAsAny"}, {"type": "MustRunAs"}, {"type": "MustRunAs", "ranges": [{"min": 5, "max": 9}]})
        ),
        "supplementalGroups": st.builds(lambda kind: {"type": kind}, strategies),
        "volumes": st.sampled_from((["*"], ["configMap", "emptyDir", "projected", "secret"])),
    },
    optional={
        "groups": st.sampled_from(([], ["system:authenticated"], ["system:serviceaccounts:shop"])),
        "users": st.sampled_from(([], ["system:serviceaccount:bank:builder"])),
        "allowPrivilegeEscalation": st.booleans(),
        "defaultAllowPrivilegeEscalation": st.just(value=False),
        "readOnlyRootFilesystem": st.booleans(),
        "requiredDropCapabilities": drops,
        "defaultAddCapabilities": capabilities,
        "allowedCapabilities": st.just(["CHOWN", "NET_BIND_SERVICE"]),
        "seccompProfiles": st.sampled_from((["*"], ["runtime/default"])),
        "allowHostNetwork": st.booleans(),
        "userNamespaceLevel": st.sampled_from(("AllowHostLevel", "RequirePodLevel")),
    },
)


def grant(scc: str, subject: dict[str, str]) -> list[Any]:
    """The right to use an SCC: a service account's where that is, a group's everywhere."""
    local = {"namespace": subject["namespace"]} if "namespace" in subject else {}
    use = {
        "apiGroups": ["security.openshift.io"],
        "resources": ["securitycontextconstraints"],
        "resourceNames": [scc],
        "verbs": ["use"],
    }
    version, name = "rbac.authorization.k8s.io/v1", f"use-{scc}"
    return [
        {"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": name}, "rules": [use]},
        {
            "apiVersion": version,
            "kind": "RoleBinding" if local else "ClusterRoleBinding",
            "metadata": {"name": name, **local},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [subject],
        },
    ]


grants = st.builds(
    grant,
    st.sampled_from(("vendor", "team", "anyuid", "privileged", "nonroot-v2", "restricted-v3", "hostnetwork-v2")),
    st.sampled_from(
        (
            {"kind": "ServiceAccount", "name": "builder", "namespace": "shop"},
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:serviceaccounts"},
        )
    ),
)


def namespaces(annotations: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Both namespaces."""
    metadata = (
        st.fixed_dictionaries({"name": st.just(name), "labels": labels, "annotations": annotations})
        for name in NAMESPACES
    )
    one = (st.builds(lambda about: {"apiVersion": "v1", "kind": "Namespace", "metadata": about}, m) for m in metadata)
    return st.tuples(*one).map(list)


def _name(raw: Any) -> str:  # noqa: ANN401  # JSON
    return str(raw["metadata"]["name"])


@st.composite
def openshift(draw: st.DrawFn) -> list[Any]:
    """The policies of one side: both namespaces, some SCCs and some rights to use one."""
    made = draw(namespaces(ranged | ranged | st.just({})))
    made += draw(st.lists(sccs, max_size=2, unique_by=_name))
    for pair in draw(st.lists(grants, max_size=2, unique_by=lambda pair: _name(pair[0]))):
        made += pair
    return made


containers = st.builds(
    lambda context, ports: {
        "name": "app",
        "image": "registry.example/app",
        "securityContext": context,
        **({"ports": [{"containerPort": 80, "hostPort": 80}]} if ports else {}),
    },
    some(
        runAsUser=st.sampled_from(IDS),
        runAsNonRoot=st.booleans(),
        privileged=seldom,
        allowPrivilegeEscalation=st.booleans(),
        readOnlyRootFilesystem=st.booleans(),
        capabilities=some(add=capabilities, drop=drops),
        seccompProfile=profiles,
        seLinuxOptions=selinux,
        procMount=st.sampled_from(("Default", "Default", "Unmasked")),
    ),
    seldom,
)
specs = st.builds(
    lambda first, second, account, rest: {
        "containers": [first] if second is None else [first, {**second, "name": "proxy", "ports": []}],
        **({"serviceAccountName": account} if account else {}),
        **rest,
    },
    containers,
    st.none() | containers,
    st.sampled_from(("", *ACCOUNTS)),
    some(
        securityContext=some(
            runAsUser=st.sampled_from(IDS),
            runAsNonRoot=st.booleans(),
            fsGroup=st.sampled_from(IDS),
            supplementalGroups=st.lists(st.sampled_from(IDS), max_size=2, unique=True),
            seccompProfile=profiles,
            seLinuxOptions=selinux,
        ),
        hostNetwork=seldom,
        hostUsers=st.booleans(),
        os=st.sampled_from(({"name": "linux"}, {"name": "linux"}, {"name": "windows"})),
        volumes=st.sampled_from(([], [{"name": "v", "emptyDir": {}}], [{"name": "v", "hostPath": {"path": "/srv"}}])),
    ),
)
marks = some(
    **{
        "openshift.io/required-scc": st.sampled_from(("anyuid", "vendor", "restricted-v2", "")),
        SCC_ANNOTATION: st.sampled_from(("privileged", "restricted-v2")),
        "seccomp.security.alpha.kubernetes.io/pod": st.sampled_from(("runtime/default", "unconfined")),
    }
)


@st.composite
def workloads(draw: st.DrawFn) -> list[Any]:
    """Some Pods, and templates of Pods."""
    made: list[Any] = []
    for index in range(draw(st.integers(1, 3))):
        meta: Any = {"name": f"w{index}", "namespace": draw(st.sampled_from(NAMESPACES))}
        noted = {"annotations": draw(marks)}
        spec: Any = draw(specs)
        match draw(st.sampled_from(("Pod", "Deployment", "CronJob"))):
            case "Pod":
                meta, version, kind = {**meta, **noted}, "v1", "Pod"
            case "Deployment":
                template = {"metadata": {"labels": {"app": "x"}, **noted}, "spec": spec}
                spec = {"selector": {"matchLabels": {"app": "x"}}, "template": template}
                version, kind = "apps/v1", "Deployment"
            case _:
                template = {"metadata": noted, "spec": {**spec, "restartPolicy": "Never"}}
                spec = {"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": template}}}
                version, kind = "batch/v1", "CronJob"
        made.append({"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec})
    return made


@contextmanager
def written(**files: list[Any]) -> Iterator[dict[str, str]]:
    """Files with these objects as JSON Lists; their names."""
    with TemporaryDirectory() as directory:
        names = {}
        for name, items in files.items():
            file = ManifestFile(directory) / f"{name}.json"
            file.write_bytes(msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": items}))
            names[name] = str(file)
        yield names


def policy_changes(names: dict[str, str]) -> PolicyComparison:
    words = ["--compare", names["old"], names["new"], names["work"]]
    args = parser.for_command("check", main.load("check")).parse_args(words)
    return comparison.comparison((names["old"], names["new"]), settings_of(args), (names["work"],))


def admitted(side: str, work: str, cluster: str) -> list[tuple[PodSource, Admitted]]:
    """What `podward admit -f SIDE -f WORK` decides about each workload."""
    words = ["-f", side, "-f", work, "--cluster", cluster]
    args = parser.for_command("admit", main.load("admit")).parse_args(words)
    documents = inputs.documents(args.filename)
    admission = Admission(args, documents)
    return [(source, decide(admission.facts(source))) for source in given_pods.pods_of(documents)]


def fate(found: Admitted) -> WorkloadOutcome:
    chosen = found.mutating.chosen if found.mutating is not None else None
    return WorkloadOutcome(found.refused, "" if found.refused or chosen is None else chosen.name)


many = settings(max_examples=examples(25, 60), deadline=None, suppress_health_check=list(HealthCheck))


@given(old=openshift(), new=openshift(), work=workloads())
@many
def test_both_sides_are_what_admit_says(old: list[Any], new: list[Any], work: list[Any]) -> None:
    described = [*old[:2], *new[:2]]
    assume(len(old) + len(new) > len(described) or any(one["metadata"]["annotations"] for one in described))
    require_agreement(old, new, work, "openshift")


@given(old=namespaces(st.just({})), new=namespaces(st.just({})), work=workloads())
@many
def test_they_agree_where_there_are_no_sccs(old: list[Any], new: list[Any], work: list[Any]) -> None:
    require_agreement(old, new, work, "kubernetes")


def require_agreement(old: list[Any], new: list[Any], work: list[Any], cluster: str) -> None:
    """Compare, and ask admit about both sides."""
    with written(old=old, new=new, work=work) as names:
        found = policy_changes(names)
        before, after = (admitted(names[side], names["work"], cluster) for side in ("old", "new"))
        both = sides(asked(names["old"]), asked(names["new"]), (), CheckOptions())
    for side, answers in ((both.old, before), (both.new, after)):
        for source, answer in answers:
            if not answer.refused:
                assert settings_of_pod(judge(source, 0, side.policies).pod) == settings_of_pod(pod_view(answer.stored))
    assert len(found.workloads) == len(before) == len(after) == len(work)
    for place, (source, first), (_, second) in zip(found.workloads, before, after, strict=True):
        assert place.subject.name == source.name
        assert (place.before, place.after) == (fate(first), fate(second)), (
            first.decision.violations,
            second.decision.violations,
        )
        if first.refused or second.refused:
            continue
        mine = {
            change.kind: (change.before, change.after) for change in found.changes if change.subject == place.subject
        }
        assert {kind: texts for kind, texts in mine.items() if kind in EFFECTS} == effects(first, second)


def effects(first: Admitted, second: Admitted) -> dict[ChangeKind, tuple[str, str]]:
    """What the stored Pods differ in, as a comparison says it."""
    old, new = (pod_view(found.stored) for found in (first, second))
    before, after = settings_of_pod(old), settings_of_pod(new)
    found = {}
    for kind in EFFECTS:
        keys = [key for key in before if key[0] is kind and before[key].text != after[key].text]
        if keys:
            found[kind] = (
                settings_text([before[key] for key in keys], old),
                settings_text([after[key] for key in keys], new),
            )
    return found
