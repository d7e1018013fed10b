"""A report's fixes, applied by somebody who knows SARIF and nothing of Podward, are what `--fix` writes."""

from __future__ import annotations

import argparse
import codecs
import json
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from proofs import part

from podward.api.explanation import Change
from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.report import CheckReport
from podward.check import baseline
from podward.check.image_users import FindImage
from podward.cli import check
from podward.cli.checking import finding_fixes, fixing, output, reporting
from podward.cli.checking.output import Shape
from podward.cli.checking.reading import ManifestFile, parse_file
from podward.cli.checking.settings import Settings, settings_of
from podward.path import path


def nowhere(_: str) -> None:
    """No image is here."""


CHARTS = Path(__file__).parent.parent.parent / "corpus" / "charts"
SCHEMA = json.loads(
    (Path(__file__).parent.parent.parent / "render/check/sarif-schema-2.1.0.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
STAYS = {"buildkit-rootless.yaml": ["pss/appArmorProfile"]}
"""What one finding's change does not cure: the annotation that comes to count then says the same."""
FILES = sorted(path.name for path in CHARTS.iterdir() if path.suffix in {".yaml", ".json"})


def applied(content: bytes, result: dict[str, Any]) -> bytes:
    """The file with the first fix of the result made, by the words of the SARIF standard."""
    encoding, mark = "utf-8", b""
    for name, bom in (
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
    ):
        if content.startswith(bom):
            encoding, mark = name, bom
    text = content.removeprefix(mark).decode(encoding)
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    (change,) = result["fixes"][0]["artifactChanges"]
    assert change["artifactLocation"] == result["locations"][0]["physicalLocation"]["artifactLocation"]
    made, done = "", 0
    for replacement in change["replacements"]:
        region = replacement["deletedRegion"]
        start = place(lines, region["startLine"], region["startColumn"])
        end = place(lines, region["endLine"], region["endColumn"])
        assert done <= start <= end <= len(text)
        made += text[done:start] + replacement["insertedContent"]["text"]
        done = end
    return mark + (made + text[done:]).encode(encoding)


def place(lines: Sequence[str], line: int, column: int) -> int:
    """The index of a line's and a UTF-16 column's character in the text."""
    units = (lines[line - 1] if line <= len(lines) else "").encode("utf-16-le")
    return sum(map(len, lines[: line - 1])) + len(units[: 2 * (column - 1)].decode("utf-16-le"))


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings(*words: str) -> Settings:
    parser = argparse.ArgumentParser()
    check.configure(parser)
    return settings_of(parser.parse_args([*words, "--no-cache", "--fix", "x"]))


def findings(name: str, chosen: Settings) -> tuple[Finding, ...]:
    return reporting.check((name,), chosen).findings


def logged(report: CheckReport, chosen: Settings) -> dict[str, Any]:
    """The SARIF of a report."""
    log: dict[str, Any] = json.loads(
        "".join(output.pieces(report, Shape("sarif"), sys.stdout, chosen.selection.select))
    )
    return log


def sarif(name: str, chosen: Settings) -> list[dict[str, Any]]:
    """The results that are no waived or known ones, in the order of the findings."""
    log = logged(reporting.check((name,), chosen), chosen)
    VALIDATOR.validate(log)
    return results_of(log)


def results_of(log: dict[str, Any]) -> list[dict[str, Any]]:
    assert log["runs"][0]["columnKind"] == "utf16CodeUnits"
    return [result for result in log["runs"][0]["results"] if "suppressions" not in result]


@pytest.mark.proof
@pytest.mark.parametrize("name", FILES)
def test_the_fix_of_one_finding_is_what_fix_writes_for_it_alone(name: str, directory: Path) -> None:
    file = directory / name
    original = (CHARTS / name).read_bytes()
    file.write_bytes(original)
    chosen = settings()
    found = findings(name, chosen)
    results = sarif(name, chosen)
    assert len(results) == len(found)
    stays: list[str] = []
    fixable = [index for index, result in enumerate(results) if "fixes" in result]
    tried = part(fixable, 1 if name in STAYS else 4, len(name))
    for index in tried:
        result = results[index]
        fixed = applied(original, result)
        assert fixed != original
        # Known is everything else: what was found beside it, and what comes to light behind it.
        file.write_bytes(fixed)
        left = findings(name, chosen)
        known = [*found[:index], *found[index + 1 :], *left]
        file.write_bytes(original)
        if found[index].fingerprint_in_file in {each.fingerprint_in_file for each in left}:
            stays.append(found[index].rule)
            continue
        (directory / "known.json").write_text(baseline.write(known))
        alone = settings("--baseline", "known.json")
        report = reporting.check((name,), alone)
        assert [each.fingerprint_in_file for each in report.findings] == [found[index].fingerprint_in_file]
        fixing.fix(report, (name,), alone, only_show=False)
        assert file.read_bytes() == fixed
        file.write_bytes(original)
    assert stays == STAYS.get(name, [])


def variants(content: bytes) -> dict[str, bytes]:
    """The same manifests as other editors save them."""
    text = content.decode()
    # Characters of two UTF-8 bytes, of three, and of four, which are two UTF-16 units, on the lines that change.
    wide = re.sub(r"(?m)^( *)(privileged|hostNetwork|hostPort|runAsUser|type|image): (.*)$", r"\1\2: \3 # 🙂é漢", text)
    crlf = text.replace("\n", "\r\n")
    return {
        "BOM": codecs.BOM_UTF8 + content,
        "CR LF and BOM": codecs.BOM_UTF8 + crlf.encode(),
        "no line break at the end": content.rstrip(b"\n"),
        "UTF-16": codecs.BOM_UTF16_BE + crlf.encode("utf-16-be"),
        "wide": wide.encode(),
    }


@pytest.mark.proof
@pytest.mark.parametrize("name", FILES)
def test_encodings_and_line_breaks_stay(name: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = settings("--select", "pss,scc,hint")
    fixed, made = finding_fixes.fixed, dict[int, bytes | None]()

    def noted(file: ManifestFile, content: bytes, finding: Finding, find: FindImage) -> bytes | None:
        made[id(finding)] = after = fixed(file, content, finding, find)
        return after

    monkeypatch.setattr(finding_fixes, "fixed", noted)
    for content in part(list(variants((CHARTS / name).read_bytes()).values()), 3, FILES.index(name)):
        (directory / name).write_bytes(content)
        report = reporting.check((name,), chosen)
        made.clear()
        log = logged(report, chosen)
        if content.startswith(codecs.BOM_UTF16_BE):
            VALIDATOR.validate(log)  # of one: the others have the same fields
        for finding, result in zip(report.findings, results_of(log), strict=True):
            assert (id(finding) in made) == bool(finding.changes)
            after = made.get(id(finding))
            assert (after is None) == ("fixes" not in result)
            if after is not None:
                assert applied(content, result) == after


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_one_line_is_changed_where_it_must(directory: Path, mark: bytes) -> None:
    spec = '{"hostNetwork":true,"containers":[{"name":"a","image":"a","securityContext":{"privileged":true}}]}'
    content = mark + f'{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"a"}},"spec":{spec}}}'.encode()
    (directory / "x.json").write_bytes(content)
    chosen = settings()
    file = parse_file(content, "x.json")
    fixed = 0
    for finding, result in zip(findings("x.json", chosen), sarif("x.json", chosen), strict=True):
        if "fixes" in result:
            assert applied(content, result) == finding_fixes.fixed(file, content, finding, nowhere)
            fixed += 1
            (replacement,) = result["fixes"][0]["artifactChanges"][0]["replacements"]
            assert replacement["deletedRegion"]["endColumn"] - replacement["deletedRegion"]["startColumn"] < 60
    assert fixed > 3


def test_advice_is_mended_where_it_is_selected(directory: Path) -> None:
    (directory / "x.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: x}\n"
        "spec: {containers: [{name: a, image: a, securityContext: {capabilities: {add: [NET_RAW]}, runAsUser: 5}}]}\n"
    )
    for words, expected in (((), False), (("--select", "hint"), True)):
        results = sarif("x.yaml", settings("--level", "privileged", *words))
        assert [result["level"] for result in results]
        assert any("fixes" in result for result in results) is expected


def test_standard_input_has_neither_columns_nor_fixes() -> None:
    finding = Finding("pss/x", Severity.ERROR, "<stdin>", 1, 0, CHANGE.path, WorkloadRef(), "it is", changes=(CHANGE,))
    sources = finding_fixes.source_files_of(report_of(finding))
    assert (sources.line("<stdin>", 1), sources.fixes, sources.unfixed) == ("", {}, "")


def test_a_file_that_is_gone_costs_its_fixes_only() -> None:
    finding = Finding(
        "pss/x", Severity.ERROR, "gone.yaml", 1, 0, CHANGE.path, WorkloadRef(), "it is", changes=(CHANGE,)
    )
    sources = finding_fixes.source_files_of(report_of(finding))
    assert (sources.line("gone.yaml", 1), sources.fixes, sources.unfixed) == ("", {}, "")


def test_a_report_about_too_much_says_that_it_has_no_fixes(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(CHARTS / "redis.yaml", directory)
    size = (directory / "redis.yaml").stat().st_size
    chosen = settings()
    fixable = sum("fixes" in result for result in sarif("redis.yaml", chosen))
    assert fixable > 1
    wanted = sum(bool(each.changes) and each.severity is Severity.ERROR for each in findings("redis.yaml", chosen))
    monkeypatch.setattr(finding_fixes, "MAX_BYTES", size * wanted)
    assert sum("fixes" in result for result in sarif("redis.yaml", chosen)) == fixable
    monkeypatch.setattr(finding_fixes, "MAX_BYTES", size * wanted - 1)
    log = json.loads("".join(output.pieces(reporting.check(("redis.yaml",), chosen), Shape("sarif"), sys.stdout)))
    (told,) = log["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert told["message"]["text"].startswith(f"The fixes of {wanted} findings are left out.")
    assert not any("fixes" in result for result in log["runs"][0]["results"])


def test_a_region_is_what_is_written_on_its_line(directory: Path) -> None:
    shutil.copy(CHARTS / "redis.yaml", directory)
    lines = (directory / "redis.yaml").read_text(encoding="utf-8").split("\n")
    for result in sarif("redis.yaml", settings()):
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] == region["endLine"]
        line = lines[region["startLine"] - 1]
        assert line[region["startColumn"] - 1 : region["endColumn"] - 1] == line.strip()


CHANGE = Change(path("spec", "hostNetwork"), value=False)


def report_of(finding: Finding) -> CheckReport:
    return CheckReport((finding,), (), (), 0, (finding.file,), (), ())
