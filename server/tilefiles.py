"""Files that never change, straight from disk: tiles, rasters and the viewer's assets.

A small ASGI application of its own because of what it is asked: thousands of requests a minute for
the same bytes. It sends the gzip copy lying beside a file where the client takes it.
"""

import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread
import orjson
from starlette.types import Receive, Scope, Send

from cim_core.layer import FILES

_TYPES = {
    ".glb": b"model/gltf-binary", ".json": b"application/json", ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8", ".css": b"text/css; charset=utf-8",
    ".svg": b"image/svg+xml", ".png": b"image/png", ".jpg": b"image/jpeg", ".wasm": b"application/wasm",
    ".xml": b"application/xml", ".gltf": b"model/gltf+json", ".woff2": b"font/woff2",
}  # fmt: skip
_DATA_TYPES = {
    ".glb": b"model/gltf-binary", ".json": b"application/json", ".gltf": b"model/gltf+json",
    ".png": b"image/png", ".jpg": b"image/jpeg", ".jpeg": b"image/jpeg", ".webp": b"image/webp",
    ".ktx2": b"image/ktx2", ".terrain": b"application/vnd.quantized-mesh",
    ".tif": b"image/tiff; application=geotiff; profile=cloud-optimized",
    ".mvt": b"application/vnd.mapbox-vector-tile", ".pbf": b"application/vnd.mapbox-vector-tile",
}  # fmt: skip
"""Of a version's own files, some of which strangers made: none of these a browser would run."""
_PACKED = ".terrain"
"""Lies on disk as gzip, because no client asks for it otherwise."""
_AT_ONCE = 524_288
"""Bytes up to which a file is read whole; larger ones are sent piece by piece.

What is read waits in memory until a client has taken it, however slow and many they are.
"""
_PIECE = 131_072
_READERS = anyio.CapacityLimiter(16)
"""Threads that read files; those of the routes are others, so no flood of files holds them up."""
FOREVER = b"public, max-age=31536000, immutable"
ASK_AGAIN = b"no-cache"
# Listed, and not with a quality of nought.
_GZIP = re.compile(rb"(?:^|[,\s])(?:x-)?gzip\s*(?:$|,|;\s*q=(?:1|0\.\d*[1-9]))")
_RANGE = re.compile(rb"bytes=(\d{0,18})-(\d{0,18})$")

Locate = Callable[[str, Scope], tuple[Path, bytes] | None]
"""Where the file of a name lies, and how long it may be kept; None if there is none for who asks."""


@dataclass(frozen=True, slots=True)
class _File:
    """What is to be sent: `body` is None where it is too large to be read at once."""

    path: Path
    size: int
    tag: bytes
    encoded: bool
    body: bytes | None
    cache: bytes


@dataclass(frozen=True, slots=True)
class FileApp:
    """Serves what `locate` finds for a path below the mount; None is answered with 404."""

    locate: Locate
    types: Callable[[str], Mapping[str, bytes]] = lambda name: _TYPES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in ("GET", "HEAD"):
            await _problem(send, 405, "Method not allowed", [(b"allow", b"GET, HEAD")])
            return
        name = scope["path"].removeprefix(scope.get("root_path", "")).removeprefix("/")
        headers = dict(scope["headers"])
        ranged = scope["method"] == "GET" and _RANGE.match(headers.get(b"range", b"").strip())
        takes_gzip = bool(_GZIP.search(headers.get(b"accept-encoding", b"")))
        found = await anyio.to_thread.run_sync(
            self._read, name, scope, takes_gzip, bool(ranged), limiter=_READERS
        )
        if found is None:
            await _problem(send, 404, "Not found", [])
            return
        kind = self.types(name).get(Path(name).suffix.lower(), b"application/octet-stream")
        answer = [
            (b"content-type", kind),
            (b"cache-control", found.cache),
            (b"etag", found.tag),
            (b"accept-ranges", b"bytes"),
            (b"vary", b"Accept-Encoding"),
            (b"x-content-type-options", b"nosniff"),
        ]
        if _matches(headers.get(b"if-none-match"), found.tag):
            await _send(send, 304, answer, b"", with_length=False)
            return
        status, part = 200, slice(0, found.size)
        if found.encoded:
            answer.append((b"content-encoding", b"gzip"))
        elif ranged and headers.get(b"if-range", found.tag) == found.tag:
            asked = _part(headers[b"range"], found.size)
            if asked is None:
                total = b"bytes */%d" % found.size
                await _problem(send, 416, "Range not satisfiable", [(b"content-range", total)])
                return
            status, part = 206, asked
            answer.append(
                (b"content-range", b"bytes %d-%d/%d" % (part.start, part.stop - 1, found.size))
            )
        length = part.stop - part.start
        if scope["method"] == "HEAD":
            await _send(send, status, answer, b"", length=length)
        elif found.body is not None:
            await _send(send, status, answer, found.body[part])
        else:
            await _stream(send, status, answer, found.path, part)

    def _read(self, name: str, scope: Scope, takes_gzip: bool, ranged: bool) -> _File | None:
        located = self.locate(name, scope)
        if located is None:
            return None
        path, cache = located
        packed = path.with_name(f"{path.name}.gz")
        stored_packed = path.suffix == _PACKED
        try:
            beside = takes_gzip and not ranged and not stored_packed and packed.is_file()
            chosen = packed if beside else path
            size = chosen.stat().st_size
            body = chosen.read_bytes() if size <= _AT_ONCE or stored_packed else None
            status = path.stat()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        encoded = beside or (stored_packed and takes_gzip)
        if stored_packed and not takes_gzip and body is not None:
            body = gzip.decompress(body)
        # Two encodings of a file are two representations, so they have two tags (RFC 9110, 8.8.3).
        tag = b'"%x-%x%s"' % (status.st_mtime_ns, status.st_size, b"-gz" if encoded else b"")
        return _File(chosen, size if body is None else len(body), tag, encoded, body, cache)


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


async def _stream(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], path: Path, part: slice
) -> None:
    """Send a part of a file piece by piece; it must not have changed since it was looked at."""
    length = part.stop - part.start
    headers = [*headers, (b"content-length", b"%d" % length)]
    with await anyio.to_thread.run_sync(path.open, "rb", limiter=_READERS) as file:
        file.seek(part.start)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        while length > 0:
            piece = await anyio.to_thread.run_sync(file.read, min(length, _PIECE), limiter=_READERS)
            if not piece:  # cut off meanwhile: the client sees the missing length
                break
            length -= len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": length > 0})


_LAYER = r"[a-z0-9][a-z0-9_-]{0,62}"
_TILE = re.compile(
    rf"({_LAYER})/(?:content/([0-9a-f]{{32}}\.glb)|(\d{{1,9}})/(tileset\.json|{FILES}/[^\0]+))$"
)


def tiles_app(
    layers_folder: Path,
    shown: Callable[[Scope, str, int | None], bytes | None],
    take: Callable[[Scope, str, Path], None],
) -> FileApp:
    """The application that serves `layers/`: contents, and what published versions have.

    That is their tileset.json and all that lies below their `files/`. `shown` says whether a layer,
    and a version of it, is shown to who asks: how long it may be kept, or None. `take` counts a file
    of a layer before it is sent, and raises where it would be too much.
    """

    def locate(name: str, scope: Scope) -> tuple[Path, bytes] | None:
        # One file has one name, by which it is counted and found in the log.
        odd = any(part in ("", ".", "..") for part in name.split("/"))
        match = None if odd else _TILE.match(name)
        if match is None:
            return None
        layer, content, version, path = match.groups()
        cache = shown(scope, layer, int(version) if version else None)
        if cache is None:
            return None
        if content is not None:
            found: Path | None = layers_folder / layer / "content" / content
        else:
            folder = layers_folder / layer / str(int(version))
            found = (
                folder / path if path == "tileset.json" else _below(folder / FILES, folder / path)
            )
        if found is None:
            return None
        take(scope, layer, layers_folder / name)
        return found, cache

    return FileApp(locate, lambda name: _DATA_TYPES)


def _below(root: Path, path: Path) -> Path | None:
    """The path if it is a file in the folder, wherever links in it lead."""
    try:
        found = path.resolve()
        return found if found.is_relative_to(root.resolve()) and found.is_file() else None
    except (ValueError, OSError):  # a name no file can have
        return None


def assets_app(folder: Path) -> FileApp:
    """The application that serves the built viewer."""

    def locate(name: str, scope: Scope) -> tuple[Path, bytes] | None:
        found = _below(folder, folder / name)
        cache = FOREVER if name.startswith("assets/") else ASK_AGAIN
        return (found, cache) if found is not None else None

    return FileApp(locate)
