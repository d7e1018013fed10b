"""Places of the user's document that hints speak of and that their changes set, and who decided a value."""

from __future__ import annotations

from podward.decision import Decision, Origin, Source
from podward.path import Path
from podward.policy.hints.facts import HintFacts


def of_container(facts: HintFacts, *steps: str | int) -> Path:
    """A field of the container, as `spec.template.spec.containers[0].image` of a Deployment."""
    return facts.place.container + Path(steps)


def of_pod(facts: HintFacts, *steps: str | int) -> Path:
    """A field of the Pod's `spec`."""
    return facts.place.pod / "spec" + Path(steps)


def written(facts: HintFacts, field: Path) -> Source:
    """The manifest itself, at this field."""
    return Source(Origin.MANIFEST, facts.place.document, field)


def decided(decision: Decision, field: Path, otherwise: Source) -> Source:
    """Who decided the field of a stage's result; `otherwise` where no assignment names it."""
    found = decision.assignment(field)
    return found.source if found is not None else otherwise


def who_chose_the_user(facts: HintFacts) -> Source:
    """Who decided which uid or user name the kubelet asks for: a field of the manifest, or the image's config."""
    image = Source(Origin.IMAGE, facts.image.name, Path(("config", "User")))
    named = Path(("runAsUsername",)) if facts.effective.value.run_as_username else Path(("runAsUser",))
    return decided(facts.effective.decision, named, image)


def field_of_the_user(facts: HintFacts) -> Path:
    """Where the manifest says who the process is: runAsUser of Pod or container, else the container's image."""
    source = who_chose_the_user(facts)
    if source.origin is Origin.MANIFEST and source.path is not None:
        return source.path
    return of_container(facts, "image")
