"""The objects of a SARIF log that `check -o sarif` writes.

Specification: OASIS SARIF 2.1.0 with errata 01, chapter 3. Classes and fields have the names of the specification;
those of fields are in snake case.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from podward.decision import Value


class SarifObject(Struct, rename="camel", frozen=True, omit_defaults=True, gc=False):
    """Base of all objects: a field with its default value is left out."""


class Message(SarifObject, frozen=True, gc=False):
    """A text."""

    text: str


class MultiformatMessage(SarifObject, frozen=True, gc=False):
    """A text with its Markdown form."""

    text: str
    markdown: str


class ReportingConfiguration(SarifObject, frozen=True, gc=False):
    """The level of a rule's results, unless they have their own."""

    level: str


class ReportingDescriptor(SarifObject, frozen=True, gc=False):
    """A rule; `name` is its id in CamelCase, as SARIF requires."""

    id: str
    name: str
    short_description: Message
    full_description: Message
    help: MultiformatMessage
    help_uri: str
    default_configuration: ReportingConfiguration
    properties: Mapping[str, Value]


class ToolComponent(SarifObject, frozen=True, gc=False):
    """The tool."""

    name: str
    version: str
    semantic_version: str
    information_uri: str
    rules: tuple[ReportingDescriptor, ...]


class Tool(SarifObject, frozen=True, gc=False):
    """The tool without extensions."""

    driver: ToolComponent


class ArtifactLocation(SarifObject, frozen=True, gc=False):
    """A file."""

    uri: str
    uri_base_id: str = ""


class Region(SarifObject, frozen=True, gc=False):
    """A part of a text: lines and columns count from 1, `end_column` is the column after the last character.

    If the columns are not known, they are left out (0), and the region is the whole line.
    """

    start_line: int
    start_column: int = 0
    end_line: int = 0
    end_column: int = 0


class PhysicalLocation(SarifObject, frozen=True, gc=False):
    """A line of a file."""

    artifact_location: ArtifactLocation
    region: Region


class LogicalLocation(SarifObject, frozen=True, gc=False):
    """A workload or its container."""

    name: str
    fully_qualified_name: str
    kind: str


class Location(SarifObject, frozen=True, gc=False):
    """A location: in a file, and in the workload that the file describes."""

    physical_location: PhysicalLocation
    logical_locations: tuple[LogicalLocation, ...] = ()


class Suppression(SarifObject, frozen=True, gc=False):
    """A waiver: in the manifest (`inSource`) or in the configuration (`external`)."""

    kind: str
    status: str
    justification: str
    location: Location


class Replacement(SarifObject, frozen=True, gc=False):
    """Text that replaces a region; an empty region is a place for an insertion."""

    deleted_region: Region
    inserted_content: Message


class ArtifactChange(SarifObject, frozen=True, gc=False):
    """The replacements in one file; they refer to the file before the fix."""

    artifact_location: ArtifactLocation
    replacements: tuple[Replacement, ...]


class Fix(SarifObject, frozen=True, gc=False):
    """A change of files that fixes a result."""

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


class UriBase(SarifObject, frozen=True, gc=False):
    """The base of relative URIs; the consumer knows the directory."""

    description: Message


class Notification(SarifObject, frozen=True, gc=False):
    """A message about the run itself."""

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
    original_uri_base_ids: Mapping[str, UriBase]
    column_kind: str
    results: tuple[Result, ...]


class Log(SarifObject, frozen=True, gc=False):
    """The whole file."""

    version: str
    runs: tuple[Run, ...]
    schema: str = field(name="$schema")
