"""A real OpenID provider in a thread, whose answers can be spoilt on their way."""

import io
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx
from authlib.deprecate import AuthlibDeprecationWarning
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

with warnings.catch_warnings():
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    import oidc_provider_mock

AUTHORIZE, TOKEN, KEYS = "/oauth2/authorize", "/oauth2/token", "/jwks"
DISCOVERY, USERINFO = "/.well-known/openid-configuration", "/userinfo"


@dataclass
class Provider:
    """An OpenID provider and what it was asked, by path and parameters.

    spoilt
        By path, what is made of the body of an answer before it is sent.
    """

    url: str
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    spoilt: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)

    def know(self, subject: str, **claims: object) -> None:
        """Let somebody be known there, with what is said of them."""
        httpx.put(f"{self.url}/users/{subject}", json=claims).raise_for_status()

    def last(self, path: str) -> dict[str, str]:
        """What it was asked last under a path."""
        return next(told for where, told in reversed(self.asked) if where == path)

    def come_back(self, address: str, subject: str) -> str:
        """Sign in at the address a browser was sent to; where the browser is sent then."""
        answer = httpx.post(address, data={"sub": subject})
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]


@contextmanager
def provider() -> Iterator[Provider]:
    """Run a provider that anybody can be known at."""
    inner = oidc_provider_mock.app(require_nonce=True)

    def app(environ: dict, start: Callable) -> object:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        request = Request({**environ, "wsgi.input": io.BytesIO(body)})
        environ["wsgi.input"] = io.BytesIO(body)
        found.asked.append((request.path, {**request.args, **request.form}))
        spoil = found.spoilt.get(request.path)
        if spoil is None:
            return inner(environ, start)
        with Response.from_app(inner, environ) as answer:
            answer.set_data(spoil(answer.get_data()))
            return answer(environ, start)

    server = make_server("localhost", 0, app, threaded=True, request_handler=_Quiet)
    found = Provider(f"http://localhost:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """Nothing."""


def text_of(page: str) -> str:
    """What a person reads on a page."""
    words: list[str] = []
    parser = HTMLParser()
    parser.handle_data = words.append  # type: ignore[method-assign]
    parser.feed(page)
    return " ".join(" ".join(words).split())
