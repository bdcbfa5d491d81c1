"""Files that never change, straight from disk: tiles and the viewer's assets.

A small ASGI application of its own because of what it is asked: thousands of requests a minute for
the same bytes. It sends the gzip copy lying beside a file where the client takes it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread
import orjson
from starlette.types import Receive, Scope, Send

_TYPES = {
    ".glb": b"model/gltf-binary", ".json": b"application/json", ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8", ".css": b"text/css; charset=utf-8",
    ".svg": b"image/svg+xml", ".png": b"image/png", ".jpg": b"image/jpeg", ".wasm": b"application/wasm",
    ".xml": b"application/xml", ".gltf": b"model/gltf+json", ".woff2": b"font/woff2",
}  # fmt: skip
_FOREVER = b"public, max-age=31536000, immutable"
_ASK_AGAIN = b"no-cache"
# Listed, and not with a quality of nought.
_GZIP = re.compile(rb"(?:^|[,\s])(?:x-)?gzip\s*(?:$|,|;\s*q=(?:1|0\.\d*[1-9]))")
_RANGE = re.compile(rb"bytes=(\d{0,18})-(\d{0,18})$")

Locate = Callable[[str], Path | None]


@dataclass(frozen=True, slots=True)
class FileApp:
    """Serves what `locate` finds for a path below the mount; None is answered with 404."""

    locate: Locate
    immutable: Callable[[str], bool]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in ("GET", "HEAD"):
            await _problem(send, 405, "Method not allowed", [(b"allow", b"GET, HEAD")])
            return
        name = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/")
        headers = dict(scope["headers"])
        ranged = scope["method"] == "GET" and _RANGE.match(headers.get(b"range", b"").strip())
        wants_gzip = bool(_GZIP.search(headers.get(b"accept-encoding", b""))) and not ranged
        found = await anyio.to_thread.run_sync(self._read, name, wants_gzip)
        if found is None:
            await _problem(send, 404, "Not found", [])
            return
        body, packed, tag = found
        answer = [
            (b"content-type", _TYPES.get(Path(name).suffix, b"application/octet-stream")),
            (b"cache-control", _FOREVER if self.immutable(name) else _ASK_AGAIN),
            (b"etag", tag),
            (b"accept-ranges", b"bytes"),
            (b"vary", b"Accept-Encoding"),
            (b"x-content-type-options", b"nosniff"),
        ]
        if _matches(headers.get(b"if-none-match"), tag):
            await _send(send, 304, answer, b"", with_length=False)
            return
        status = 200
        if packed:
            answer.append((b"content-encoding", b"gzip"))
        elif ranged and headers.get(b"if-range", tag) == tag:
            part = _part(headers[b"range"], len(body))
            if part is None:
                total = b"bytes */%d" % len(body)
                await _problem(send, 416, "Range not satisfiable", [(b"content-range", total)])
                return
            status = 206
            answer.append(
                (b"content-range", b"bytes %d-%d/%d" % (part.start, part.stop - 1, len(body)))
            )
            body = body[part]
        await _send(
            send, status, answer, b"" if scope["method"] == "HEAD" else body, length=len(body)
        )

    def _read(self, name: str, wants_gzip: bool) -> tuple[bytes, bool, bytes] | None:
        path = self.locate(name)
        if path is None:
            return None
        packed = path.with_name(f"{path.name}.gz")
        try:
            use_packed = wants_gzip and packed.is_file()
            chosen = packed if use_packed else path
            body = chosen.read_bytes()
            stamp = path.stat().st_mtime_ns
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        # Two encodings of a file are two representations, so they have two tags (RFC 9110, 8.8.3).
        tag = b'"%x-%x%s"' % (stamp, path.stat().st_size, b"-gz" if use_packed else b"")
        return body, use_packed, tag


def _matches(header: bytes | None, tag: bytes) -> bool:
    if header is None:
        return False
    known = {part.strip().removeprefix(b"W/") for part in header.split(b",")}
    return tag in known or b"*" in known


def _part(header: bytes, size: int) -> slice | None:
    """The bytes a Range header of one range asks for; None if there are none."""
    match = _RANGE.match(header.strip())
    first, last = match.groups() if match else (b"", b"")
    if not first:
        length = int(last or b"0")
        return slice(max(0, size - length), size) if length and size else None
    start, stop = int(first), min(int(last) + 1, size) if last else size
    return slice(start, stop) if start < stop else None


async def _problem(send: Send, status: int, title: str, headers: list[tuple[bytes, bytes]]) -> None:
    body = orjson.dumps({"type": "about:blank", "title": title, "status": status, "detail": title})
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"cache-control", b"no-store"),
        *headers,
    ]
    await _send(send, status, headers, body)


async def _send(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes,
    *, length: int | None = None, with_length: bool = True,
) -> None:  # fmt: skip
    if with_length:
        headers = [*headers, (b"content-length", b"%d" % (len(body) if length is None else length))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


_LAYER = r"[a-z0-9][a-z0-9_-]{0,62}"
_TILE = re.compile(rf"({_LAYER})/(?:(\d{{1,9}})/tileset\.json|content/([0-9a-f]{{32}}\.glb))$")


def tiles_app(layers_folder: Path, published: Callable[[str, int], bool]) -> FileApp:
    """The application that serves `layers/`: tileset.json of published versions, and contents."""

    def locate(name: str) -> Path | None:
        match = _TILE.match(name)
        if match is None:
            return None
        layer, version, content = match.groups()
        if content is not None:
            return layers_folder / layer / "content" / content
        if not published(layer, int(version)):
            return None
        return layers_folder / layer / str(int(version)) / "tileset.json"

    return FileApp(locate, lambda name: True)


def assets_app(folder: Path) -> FileApp:
    """The application that serves the built viewer."""
    root = folder.resolve()

    def locate(name: str) -> Path | None:
        try:
            path = (root / name).resolve()
            return path if path.is_relative_to(root) and path.is_file() else None
        except (ValueError, OSError):  # a name no file can have
            return None

    return FileApp(locate, lambda name: name.startswith("assets/"))
