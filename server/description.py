"""The description of the API (OpenAPI 3.1): the routes, what is mounted beside them, and schemas."""

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any

from fastapi import FastAPI

from cim_core.layer import FILES, LAYER_ID
from server.access.authenticate import BEHIND, CAPABILITY, COOKIES
from server.access.verbs import Verb
from server.documented import JSON, LARGEST, Answer, documented, problem_answer, returns

_TABLES = (
    "schemas.toml",
    "schemas_office.toml",
    "schemas_ingest.toml",
    "schemas_observations.toml",
    "schemas_alarms.toml",
    "schemas_sensorthings.toml",
    "schemas_renewal.toml",
    "schemas_renewal_reports.toml",
    "schemas_renewal_edits.toml",
    "schemas_renewal_files.toml",
    "schemas_renewal_twin.toml",
    "schemas_traffic.toml",
    "schemas_traffic_in.toml",
    "schemas_checkup.toml",
)
_HEADERS = {
    "Accept-Ranges": "in which unit parts of a file can be asked for",
    "Cache-Control": "how long, and by whom, the answer may be kept",
    "Content-Disposition": "whether it is to be shown or saved, and under what name",
    "Content-Range": "which part of how many bytes it is",
    "ETag": "what the answer is told by when it is asked for again",
    "Location": "where what was made, or is being made, is found",
    "Preference-Applied": "which preference was followed",
    "Retry-After": "after how many seconds it may be asked again",
    "X-Export-Id": "under which id the log has what was handed out as a file",
    "WWW-Authenticate": "how to say who asks",
}
_FILE = ("ETag", "Cache-Control", "Accept-Ranges")
_PART = (*_FILE, "Content-Range")
_ANY = "*/*"

_SESSIONS = {
    "session-https" if cookie.startswith("__Host-") else "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": cookie,
    }
    for cookie in COOKIES
}
"""Where a browser keeps who is signed in."""
_SERVERS = [
    {"url": "/"},
    {
        "url": f"{CAPABILITY}{{capability}}",
        "description": "for clients that cannot say who asks; POST /session/capability begins one",
        "variables": {"capability": {"default": "TOKEN"}},
    },
]

_Parameters = dict[str, dict[str, Any]]
_LAYER: dict[str, Any] = {"type": "string", "pattern": LAYER_ID}
_VERSION: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": LARGEST}
_PATH = {"type": "string", "minLength": 1}
_CONDITIONS = [
    {"name": name, "in": "header", "schema": {"type": "string"}, "description": text}
    for name, text in (
        ("Range", "one range of bytes; others are answered with the whole"),
        ("If-None-Match", "the ETag of what the client has"),
    )
]


def install(app: FastAPI) -> None:
    """Let the application describe itself as a whole."""
    of_routes = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(of_routes())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI says to do it


@lru_cache
def schemas() -> dict[str, Any]:
    """The schemas of the two tables beside this module, by name."""
    texts = (files("server").joinpath(name).read_text("utf-8") for name in _TABLES)
    return {name: schema for text in texts for name, schema in tomllib.loads(text).items()}


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    paths = {**_with_bodies(document["paths"]), **_mounted()}
    for path, operations in paths.items():
        if path.startswith(BEHIND):
            for operation in operations.values():
                operation["servers"] = _SERVERS
    known = document.get("components", {})
    headers = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS.items()
    }
    components = {
        "schemas": {**known.get("schemas", {}), **schemas()},
        "headers": headers,
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}, **_SESSIONS},
    }
    return {
        **document,
        "components": components,
        # What strangers may do is for the policy to say, so nothing calls for a key or a session.
        "security": [{"key": []}, *({name: []} for name in _SESSIONS), {}],
        "paths": paths,
    }


def _with_bodies(paths: dict[str, Any]) -> dict[str, Any]:
    """The routes, those that take a body with what is answered to one that cannot be taken."""
    refusals = {str(status): problem_answer(status) for status in (400, 408, 413)}
    for operations in paths.values():
        for operation in operations.values():
            if "requestBody" in operation:
                operation["responses"] |= refusals
    return paths


def _mounted() -> dict[str, Any]:
    """What no route answers: files of versions, and those of the viewer."""
    tileset = returns({JSON: "Tileset"}, headers=_FILE)
    glb = {"model/gltf-binary": None}
    content = {"hash": {"type": "string", "pattern": r"^[0-9a-f]{32}$"}}
    of_version: _Parameters = {"layer": _LAYER, "version": _VERSION}
    tiles = {
        "/t/{layer}/{version}/tileset.json": _get("The tree of a layer's 3D tiles", of_version, tileset),
        "/t/{layer}/content/{hash}.glb": _get(
            "A 3D tile", {"layer": _LAYER, **content}, returns(glb, headers=_FILE)
        ),
        f"/t/{{layer}}/{{version}}/{FILES}/{{path}}": _get(
            "A file that a version has beside its tiles", {**of_version, "path": _PATH},
            returns({_ANY: None}, headers=_FILE),
        ),
    }  # fmt: skip
    viewer = _get(
        "A file of the viewer", {"path": _PATH}, returns({_ANY: None}, headers=_FILE), "open"
    )
    return {**tiles, "/viewer/{path}": viewer}


def _get(summary: str, path: _Parameters, whole: Answer, verb: Verb = "read") -> dict[str, Any]:
    """A path of files: whole, a part of them, or nothing new."""
    part = returns(dict.fromkeys(whole.content), 206, _PART)  # no JSON any more, if it was
    told = documented(verb, whole, part, returns(None, 304, _FILE), problems=(404, 416))
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in path.items()
    ]
    operation = {
        "tags": ["files"],
        "summary": summary,
        "description": "As it lies there; whole, or one range of its bytes.",
        "parameters": [*parameters, *_CONDITIONS],
        "responses": told["responses"],
        **told["openapi_extra"],
    }
    return {"get": operation}
