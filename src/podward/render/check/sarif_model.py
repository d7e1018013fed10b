"""The objects of a SARIF log, as far as `check -o sarif` writes them.

Specification: OASIS SARIF 2.1.0 with errata 01, chapter 3; names are the format's in snake case.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from podward.decision import Value


class SarifObject(Struct, rename="camel", frozen=True, omit_defaults=True, gc=False):
    """Base of the format's objects: what has its default is left out."""


class Message(SarifObject, frozen=True, gc=False):
    """A text."""

    text: str


class Help(SarifObject, frozen=True, gc=False):
    """A text with its Markdown form."""

    text: str
    markdown: str


class Configuration(SarifObject, frozen=True, gc=False):
    """How a rule's results are reported unless they say otherwise."""

    level: str


class Descriptor(SarifObject, frozen=True, gc=False):
    """A rule; `name` is its id in CamelCase, as the format wants it."""

    id: str
    name: str
    short_description: Message
    full_description: Message
    help: Help
    help_uri: str
    default_configuration: Configuration
    properties: Mapping[str, Value]


class Driver(SarifObject, frozen=True, gc=False):
    """The tool."""

    name: str
    version: str
    semantic_version: str
    information_uri: str
    rules: tuple[Descriptor, ...]


class Tool(SarifObject, frozen=True, gc=False):
    """The tool without extensions."""

    driver: Driver


class Artifact(SarifObject, frozen=True, gc=False):
    """A file."""

    uri: str
    uri_base_id: str = ""


class Region(SarifObject, frozen=True, gc=False):
    """Characters of a text: lines and columns count from 1, `end_column` is the one after the last character.

    Left out (0) are columns that are not known: the whole line is meant.
    """

    start_line: int
    start_column: int = 0
    end_line: int = 0
    end_column: int = 0


class Physical(SarifObject, frozen=True, gc=False):
    """A line of a file."""

    artifact_location: Artifact
    region: Region


class Logical(SarifObject, frozen=True, gc=False):
    """A workload or its container."""

    name: str
    fully_qualified_name: str
    kind: str


class Location(SarifObject, frozen=True, gc=False):
    """Where: in a file, and in what it describes."""

    physical_location: Physical
    logical_locations: tuple[Logical, ...] = ()


class Suppression(SarifObject, frozen=True, gc=False):
    """A waiver: in the manifest (`inSource`) or in the configuration (`external`)."""

    kind: str
    status: str
    justification: str
    location: Location


class Replacement(SarifObject, frozen=True, gc=False):
    """Text that takes the place of a region; a region without a character is where it is put in."""

    deleted_region: Region
    inserted_content: Message


class ArtifactChange(SarifObject, frozen=True, gc=False):
    """The replacements in one file, all of them places of the file as it was."""

    artifact_location: Artifact
    replacements: tuple[Replacement, ...]


class Fix(SarifObject, frozen=True, gc=False):
    """A change of files that cures a result."""

    description: Message
    artifact_changes: tuple[ArtifactChange, ...]


class Result(SarifObject, frozen=True, gc=False):
    """A finding."""

    rule_id: str
    rule_index: int
    level: str
    message: Message
    locations: tuple[Location, ...]
    partial_fingerprints: Mapping[str, str]
    baseline_state: str = ""
    suppressions: tuple[Suppression, ...] = ()
    fixes: tuple[Fix, ...] = ()
    properties: Mapping[str, Value] = field(default_factory=dict)


class Base(SarifObject, frozen=True, gc=False):
    """What relative URIs are relative to: the consumer knows where its checkout is."""

    description: Message


class Notification(SarifObject, frozen=True, gc=False):
    """Something about the run itself."""

    message: Message
    level: str


class Invocation(SarifObject, frozen=True, gc=False):
    """How the run ended."""

    execution_successful: bool
    exit_code: int
    exit_code_description: str
    tool_execution_notifications: tuple[Notification, ...] = ()


class Run(SarifObject, frozen=True, gc=False):
    """One run."""

    tool: Tool
    invocations: tuple[Invocation, ...]
    original_uri_base_ids: Mapping[str, Base]
    column_kind: str
    results: tuple[Result, ...]


class Log(SarifObject, frozen=True, gc=False):
    """The whole file."""

    version: str
    runs: tuple[Run, ...]
    schema: str = field(name="$schema")
