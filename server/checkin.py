"""The report of a check-in, in both languages, as JSON, CSV and a map; the refusal of a file."""

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cim_core.checkin import (
    SEVERITIES,
    Finding,
    Rule,
    Rules,
    Subject,
    counts,
    refusing,
    rules_for,
)
from cim_core.city import City
from cim_core.draft import CHECKIN, Draft
from cim_core.errors import InvalidInput, NotFound
from cim_core.feature import Value
from cim_core.files import write_whole
from cim_core.layer import Layer
from cim_core.receipt import Input
from cim_core.sight import needs_whole
from cim_core.store.layers import LayerVersion
from server import spreadsheet
from server.zh import in_chinese

LANGUAGES = ("en", "zh")
COLUMNS = (
    "severity", "rule", "id", "class", "name", "storey", "table", "line", "lon", "lat", "height",
    "value", "limit", "unit", "en", "zh",
)  # fmt: skip
"""What is said of each finding."""

_PLACE = ("lon", "lat", "height")

_LISTED = 1000
"""Findings of one rule that are listed; all are counted."""

_PUNCTUATION = {"en": ("{} ({})", ", ", " – "), "zh": ("{}（{}）", "、", "，首项：")}
_REFUSED_KEPT = 100
_REFUSED_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*-[0-9a-f]{12}\.json")

Document = dict[str, Any]


class Refused(InvalidInput):
    """A file that the city's rules do not let in.

    chinese, checkin
        The sentence in Chinese; counts by severity and, where it is kept, the report's address.
    """

    def __init__(self, sentence: str, chinese: str, checkin: Mapping[str, Value]) -> None:
        super().__init__(sentence)
        self.chinese = chinese
        self.checkin = checkin

    @classmethod
    def told_by(cls, problem: Mapping[str, Any]) -> "Refused":
        """The refusal a problem document tells of."""
        return cls(str(problem["detail"]), str(problem["detail_zh"]), problem["checkin"])


def check_in(city: City, draft: Draft, layer: Layer, rules: Rules, source: Input) -> None:
    """Keep the report on a file with the version made of it; raises `Refused`."""
    document = report(layer, rules, source)
    if document["refused"]:
        raise refusal(document, keep_refused(city, document))
    draft.keep_checkin(_as_bytes(document), document["counts"])


def keep_checkin_of(city: City, before: LayerVersion, draft: Draft) -> None:
    """Keep the report of a version with another one made of it."""
    counted = before.summary.get("checkin")
    if counted is not None:
        path = city.layers_folder / before.layer / str(before.version) / CHECKIN
        draft.keep_checkin(path.read_bytes(), counted)


def report(layer: Layer, rules: Rules, source: Input) -> Document:
    """What was found in a file, by which rules, and whether it is refused; plain values."""
    number = Counter(finding.rule for finding in layer.findings)
    asked = rules_for(_subject(layer), rules)
    worst_first = sorted(layer.findings, key=lambda f: SEVERITIES.index(rules[f.rule].severity))
    return {
        "layer": layer.id,
        "file": source.name,
        "sha256": source.sha256,
        "refused": bool(refusing(layer.findings, rules)),
        "counts": counts(layer.findings, rules),
        "rules": [{**rule_entry(rule), "count": number[rule.id]} for rule in asked.values()],
        "findings": list(_listed(worst_first, rules)),
    }


def _subject(layer: Layer) -> Subject:
    """Of what the rules are that a layer is measured against."""
    if layer.roads is not None:
        return "roads"
    return "pipes" if layer.kind == "network" else "models"


def counted(counts: Mapping[str, int]) -> str:
    """Counts by severity in words.

    >>> counted({"error": 0, "warning": 1, "note": 2})
    '0 errors, 1 warning, 2 notes'
    """
    return ", ".join(f"{n} {severity}{'' if n == 1 else 's'}" for severity, n in counts.items())


def rule_entry(rule: Rule) -> Document:
    """A rule as it is in force."""
    return {
        "id": rule.id,
        "subject": rule.subject,
        "title": dict(rule.title),
        "severity": rule.severity,
        "refuse": rule.refuse,
        "thresholds": {
            name: {"value": limit.value, "unit": limit.unit, "title": dict(limit.title)}
            for name, limit in rule.thresholds.items()
        },
        "source": rule.source,
        "confidence": rule.confidence,
    }


def _listed(findings: Sequence[Finding], rules: Rules) -> Iterator[Document]:
    seen: dict[str, int] = defaultdict(int)
    for finding in findings:
        seen[finding.rule] += 1
        if seen[finding.rule] <= _LISTED:
            yield _entry(finding, rules[finding.rule])


def _entry(finding: Finding, rule: Rule) -> Document:
    limit = None if finding.limit is None else rule.thresholds[finding.limit]
    lon, lat, height = finding.place or (None, None, None)
    value = finding.value
    return {
        "severity": rule.severity,
        "rule": rule.id,
        "id": finding.id,
        "class": finding.feature_class,
        "name": finding.name,
        "storey": finding.storey,
        "table": finding.table,
        "line": finding.line,
        "lon": lon if lon is None else round(lon, 8),
        "lat": lat if lat is None else round(lat, 8),
        "height": height if height is None else round(height, 3),
        "value": float(f"{value:.6g}") if isinstance(value, float) else value,
        "limit": None if limit is None else limit.value,
        "unit": "" if limit is None else limit.unit,
        **{language: _sentence(finding, rule, language) for language in LANGUAGES},
    }


def _sentence(finding: Finding, rule: Rule, language: str) -> str:
    limit = None if finding.limit is None else rule.thresholds[finding.limit].value
    words = dict(finding.words)
    if language == "zh" and "reason" in words:
        words["reason"] = in_chinese(words["reason"]) or words["reason"]
    return rule.sentence[language].format_map(
        {
            "element": f"{finding.feature_class} {finding.name or finding.id}",
            "name": finding.name,
            "row": f"{finding.table}:{finding.line}",
            "value": _said(finding.value),
            "limit": _said(limit),
            **words,
        }
    )


def _said(value: float | str | tuple[str, ...] | None) -> str:
    """A value as people write it: four digits, or all before the point.

    >>> _said(0.0108201), _said(5615226.8), _said(("IFC4", "IFC2X3"))
    ('0.01082', '5,615,227', 'IFC4, IFC2X3')
    """
    match value:
        case float() | int():
            return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
        case tuple():
            return ", ".join(value)
        case _:
            return str(value)


def _as_bytes(document: Document) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def as_csv(document: Document) -> bytes:
    """The findings as a table."""
    rows = ([finding.get(column) for column in COLUMNS] for finding in document["findings"])
    return spreadsheet.as_csv(COLUMNS, rows)


def as_geojson(document: Document) -> Document:
    """The findings as a layer for maps: a point at each place, nothing where there is none."""
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "geometry": _point(finding), "properties": _without_place(finding)}
            for finding in document["findings"]
        ],
    }


def places_of(document: Document) -> list[tuple[float, float]]:
    """Where things were found, longitude and latitude."""
    found = ((finding["lon"], finding["lat"]) for finding in document["findings"])
    return [(lon, lat) for lon, lat in found if lon is not None and lat is not None]


def _point(finding: Mapping[str, Any]) -> Document | None:
    place = [finding[name] for name in _PLACE if finding[name] is not None]
    return {"type": "Point", "coordinates": place} if place else None


def _without_place(finding: Mapping[str, Any]) -> Document:
    return {name: value for name, value in finding.items() if name not in _PLACE}


def refusal(document: Document, place: str | None = None) -> Refused:
    """Why a file is not let in, as one sentence; `place` is where the whole report lies."""
    name = document["file"]
    why = {language: _reasons(document, language) for language in LANGUAGES}
    reasons = why["en"]
    if place is None:
        sentence = f"{name} is not let in by the check-in rules: {reasons}"
    else:
        sentence = (
            f"{name} is refused by the check-in rules: {reasons}; nothing was published, the whole "
            f"report is in the city's folder and on its server under /{place}"
        )
    chinese = (in_chinese(sentence) or sentence).replace(reasons, why["zh"])
    address: dict[str, Value] = {} if place is None else {"href": f"/{place}"}
    return Refused(sentence, chinese, {"counts": document["counts"], **address})


def _reasons(document: Document, language: str) -> str:
    """The first three rules that refuse with how often, and the first finding of all."""
    broken = [rule for rule in document["rules"] if rule["refuse"] and rule["count"]]
    broken.sort(key=lambda rule: SEVERITIES.index(rule["severity"]))
    counted, comma, dash = _PUNCTUATION[language]
    titles = [counted.format(rule["title"][language], rule["count"]) for rule in broken[:3]]
    more = ["…"] if len(broken) > 3 else []
    first = next(f[language] for f in document["findings"] if f["rule"] == broken[0]["id"])
    return f"{comma.join(titles + more)}{dash}{first}"


def keep_refused(city: City, document: Document) -> str:
    """Keep the report of a refused file in the city's folder; returns its path there.

    The name holds a hash of the content. The oldest beyond a hundred go.
    """
    body = _as_bytes(document)
    name = f"{document['layer']}-{hashlib.sha256(body).hexdigest()[:12]}.json"
    city.refused_folder.mkdir(exist_ok=True)
    write_whole(city.refused_folder / name, body)
    reports = sorted(city.refused_folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    for path in reports[:-_REFUSED_KEPT]:
        path.unlink(missing_ok=True)
    return f"{city.refused_folder.name}/{name}"


def refused_report(city: City, name: str) -> Document:
    """A report `keep_refused` kept; raises `NotFound`."""
    path = city.refused_folder / name
    if _REFUSED_NAME.fullmatch(name) is None or not path.is_file():
        raise NotFound(f"there is no check-in report {name!r} of a refused file in this city")
    document: Document = json.loads(path.read_bytes())
    return document


def version_report(city: City, layer: str, number: int) -> Document:
    """The report of a published version; raises `NotFound`."""
    needs_whole(layer, city.layers.version(layer, number).part)
    path = city.layers_folder / layer / str(number) / CHECKIN
    if not path.is_file():
        raise NotFound(
            f"version {number} of the layer {layer!r} has no check-in report; import its file again"
        )
    document: Document = json.loads(path.read_bytes())
    return document
