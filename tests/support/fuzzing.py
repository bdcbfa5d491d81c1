"""Everything a server can be asked, by the description it gives of itself, and much it cannot."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from tests.support.serving import Server

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance", "unsupported_method",
    "allow_header_conformance",
)  # fmt: skip
ENDLESS = "/events"
"""Goes on for ever and takes no parameters; it has a test of its own."""


@dataclass
class Findings:
    """What came of asking: the answers by status, and what is not as described."""

    statuses: Counter[int] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


def asked(
    server: Server, headers: Mapping[str, dict[str, str]], known: Mapping[str, list[Any]],
    fixed: Mapping[str, dict[str, Any]], examples: int, *, seed: int = 1,
) -> Findings:  # fmt: skip
    """Ask everything, `examples` times what is made up at random.

    headers
        By verb, under "" for all others: who asks.
    known
        What there is, by the place and name of the parameter, as in "path.layer".
    fixed
        The parameters of an operation (its method and path) that are not made up.
    """
    described = server.client.get("/openapi.json").json()
    _with_examples(described, known)
    del described["components"]["securitySchemes"], described["security"]  # who asks is said here
    config = _config(described, headers, known, fixed, examples, seed)
    schema = schemathesis.openapi.from_dict(described, config=config)
    schema.config.update(base_url=server.url)
    found = Findings()
    for event in from_schema(schema.exclude(path=ENDLESS)).execute():
        match event:
            case events.NonFatalError():
                found.wrong.append(f"{event.label}: {event.value}")
            case events.FatalError():
                raise event.exception
            case events.ScenarioFinished():
                _look(event, found)
    return found


def _with_examples(described: dict[str, Any], known: Mapping[str, list[Any]]) -> None:
    """Say in a description what there is, so that not all is asked of what there is not."""
    for operations in described["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                values = known.get(f"{parameter['in']}.{parameter['name']}")
                if values:
                    parameter["example"] = values[0]


def _config(
    described: dict[str, Any], headers: Mapping[str, dict[str, str]], known: Mapping[str, list[Any]],
    fixed: Mapping[str, dict[str, Any]], examples: int, seed: int,
) -> SchemathesisConfig:  # fmt: skip
    names = {place: place.replace(".", "-") for place in known}
    # httptools knows no method QUERY: the server answers 400 before there is a request.
    methods = ["get", "put", "post", "delete", "options", "patch", "trace"]
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "continue-on-failure": True,
            "request-timeout": 30,
            "dictionaries": {names[place]: {"values": known[place]} for place in known},
            "parameters": {
                place: {"dictionary": name, "probability": 0.7} for place, name in names.items()
            },
            "generation": {
                "max-examples": examples, "deterministic": True, "no-shrink": True,
                "with-security-parameters": False,
            },
            "phases": {
                "coverage": {"unexpected-methods": methods},
                "examples": {"enabled": False},  # covered as well
                "stateful": {"enabled": False},
            },
            "checks": {"enabled": False, **{name: {"enabled": True} for name in CHECKS}},
            "operations": [
                *(
                    {"include-name": names, "headers": headers.get(verb, headers[""])}
                    for verb, names in _by_verb(described).items()
                ),
                *(
                    {"include-name": name, "parameters": parameters}
                    for name, parameters in fixed.items()
                ),
            ],
        }
    )  # fmt: skip


def _by_verb(described: dict[str, Any]) -> dict[str, list[str]]:
    """The operations of each verb: their methods and paths."""
    found = defaultdict(list)
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            found[operation["x-verb"]].append(f"{method.upper()} {path}")
    return found


def _look(event: events.ScenarioFinished, found: Findings) -> None:
    label = event.recorder.label
    found.operations.add(label)
    for case, interaction in event.recorder.interactions.items():
        response = interaction.response
        if response is None:
            found.wrong.append(f"{label}: no answer to {interaction.request.uri[:300]}")
            continue
        found.statuses[response.status_code] += 1
        if response.status_code < 400:
            found.answered.add(label)
        for check in event.recorder.checks.get(case, ()):
            if check.failure_info is not None:
                request = interaction.request
                found.wrong.append(
                    f"{label}: {check.name}: {str(check.failure_info.failure)[:600]}\n"
                    f"  {request.method} {request.uri[:300]} {(request.body or b'')[:300]!r}\n"
                    f"  {response.status_code} {(response.content or b'')[:300]!r}"
                )
