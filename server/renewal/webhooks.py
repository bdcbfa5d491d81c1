"""Tells other programs of orders: issued, answered, returned, closed, due soon and overdue.

What is posted is JSON with its signature: `X-CIM-Signature` is "sha256=" and, in hexadecimal, the
HMAC-SHA256 (RFC 2104) of `X-CIM-Timestamp`, a point and the body, under the hook's secret.
"""

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

import httpx2

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.locks import locked_if_free
from cim_core.renewal.events import Subject
from cim_core.renewal.ledger import Ledger
from cim_core.renewal.orders import overdue_days, urgency
from cim_core.renewal.working_days import city_days
from cim_core.store.renewal_hooks import Delivery, Hook, Hooks, What
from server.settings import Settings

_LOOK_SECONDS = 60.0
_PATIENCE_SECONDS = 10.0
_TURN_SECONDS = 20.0
_AT_ONCE = 100
_FIRST_MS, _LONGEST_MS, _GIVEN_UP_MS = 60_000, 3_600_000, 86_400_000
_KEPT_MS = 90 * 86_400_000
"""So long what was told is kept, for those who look after the hooks."""
_CHINA = timezone(timedelta(hours=8))
_STATES: dict[str, What] = {
    "issued": "issued", "answered": "answered", "returned": "returned", "closed": "closed",
}  # fmt: skip

_Told = tuple[What, Subject, str, int, dict[str, Any]]
"""What is told of which order, what makes it one of a kind, when it was so, and what else is told."""

_log = logging.getLogger(__name__)


def checked_address(url: str, settings: Settings) -> str:
    """An address that may be told of orders; raises `InvalidInput`.

    https only, but for hosts that the setting names with http://, and none that it does not name:
    this server stands where its network lets it ask what others may not.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if not parts.hostname or parts.scheme not in ("http", "https") or len(url) > 2000:
        raise InvalidInput("the url of the hook is no web address; give one as https://host/path")
    if parts.username is not None or parts.fragment or not url.isascii() or not url.isprintable():
        raise InvalidInput(
            "the url of the hook has a name, a fragment or letters that belong into none; leave them out"
        )
    usual = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    begins = "http://" if parts.scheme == "http" else ""
    allowed = {
        f"{begins}{host}:{port or usual}",
        *([f"{begins}{host}"] if port in (None, usual) else []),
    }
    if allowed.isdisjoint(settings.webhook_hosts):
        raise InvalidInput(
            f"{begins}{host}:{port or usual} is not among the hosts that may be told of orders; whoever runs this "
            "server names them in CIM_WEBHOOK_HOSTS"
        )
    return url


class Webhooks:
    """Finds every minute what is to be told, and tells it; one server of a city does at a time."""

    def __init__(self, city: City, settings: Settings) -> None:
        self._city = city
        self._settings = settings
        self._hooks = Hooks(city.renewal.file)
        self._lock = city.folder / ".locks" / "webhooks.lock"

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.turn()
            except Exception:
                _log.exception("orders cannot be told of; trying again")
            await asyncio.sleep(_LOOK_SECONDS)

    async def turn(self) -> None:
        """Look once, and tell what is due."""
        if not await asyncio.to_thread(
            lambda: self._city.renewal.exists and bool(self._hooks.all())
        ):
            return
        with locked_if_free(self._lock) as mine:
            if mine:
                await asyncio.to_thread(self._look_at_events)
                try:
                    await asyncio.to_thread(self._look_at_deadlines)
                finally:  # what was done is told even where a bad renewal.toml hides the deadlines
                    await self._deliver()

    def _look_at_events(self) -> None:
        """Promise what was done with orders since the last look."""
        ledger, looked = self._city.renewal.ledger(), self._hooks.looked()
        if ledger.revision > looked:
            self._hooks.promise(self._promises(self._happened(ledger, looked)), ledger.revision)

    def _look_at_deadlines(self) -> None:
        """Promise what is urgent today, and forget what was told long ago."""
        urgent = list(self._urgent())
        if promises := self._promises(urgent):
            self._hooks.promise(promises)
        before = self._city.renewal.file.now() - _KEPT_MS
        self._hooks.forget(before, {about for _, _, about, _, _ in urgent})

    def _promises(self, told: Iterable[_Told]) -> list[tuple[str, str, str]]:
        """Which hooks are to be told of what, as `Hooks.promise` takes it."""
        # The hooks after the events, so that one that is new misses none that came after it.
        found, told = [], list(told)
        hooks, promised = self._hooks.all(), self._hooks.promised()
        projects = {one.id: one for one in self._city.renewal.find("project")}
        for what, order, about, moment, more in told:
            project = projects.get(order.project)
            for hook in hooks:
                if project is None or what not in hook.events or moment < hook.created:
                    continue
                in_town = hook.towns is None or project.document["town"] in hook.towns
                if in_town and (hook.id, about) not in promised:
                    found.append((hook.id, about, _body(what, order, project, moment, more)))
        return found

    def _happened(self, ledger: Ledger, looked: int) -> Iterator[_Told]:
        orders = {one.id: one for one in self._city.renewal.find("order")}
        for event in ledger.events:
            what = _STATES.get(str((event.change or {}).get("state")))
            if event.seq > looked and event.kind == "order" and what and event.id in orders:
                about = f"{what} {event.id} version {event.version}"
                yield what, orders[event.id], about, event.recorded, {}

    def _urgent(self) -> Iterator[_Told]:
        """What falls due within three working days or is overdue; once for each deadline."""
        now = self._city.renewal.file.now()
        today = datetime.fromtimestamp(now / 1000, _CHINA).date()
        days = city_days(self._city.folder)
        for order in self._city.renewal.find("order"):
            urged = urgency(order.document, today, days)
            if urged not in ("blue", "red"):
                continue
            what: What = "overdue" if urged == "red" else "due-soon"
            about = f"{what} {order.id} {order.document['deadline']}"
            yield what, order, about, now, _how_late(order, today)

    async def _deliver(self) -> None:
        waiting = await asyncio.to_thread(self._waiting)
        if not waiting:
            return
        async with httpx2.AsyncClient(
            follow_redirects=False, trust_env=False, timeout=_PATIENCE_SECONDS
        ) as client:
            await asyncio.gather(*(self._tell(client, hook, due) for hook, due in waiting))

    def _waiting(self) -> list[tuple[Hook, list[Delivery]]]:
        """What each hook is to be told now."""
        found = [(hook, self._hooks.due(hook.id, _AT_ONCE)) for hook in self._hooks.all()]
        return [(hook, due) for hook, due in found if due]

    async def _tell(self, client: httpx2.AsyncClient, hook: Hook, due: list[Delivery]) -> None:
        """Tell a hook what is due, until it does not take it: the rest waits with what it refused.

        So it does when the hook is slow: nobody waits long for another.
        """
        clock = asyncio.get_running_loop().time
        until = clock() + _TURN_SECONDS
        for delivery in due:
            if not await self._try(client, hook, delivery) or clock() > until:
                return

    async def _try(self, client: httpx2.AsyncClient, hook: Hook, delivery: Delivery) -> bool:
        now = self._city.renewal.file.now()
        status, error = None, None
        try:
            checked_address(hook.url, self._settings)
            body, stamp = delivery.body.encode(), str(now // 1000)
            headers = {
                "content-type": "application/json", "user-agent": "cim-twin",
                "x-cim-timestamp": stamp, "x-cim-delivery": str(delivery.id),
                "x-cim-signature": f"sha256={signature(hook.secret, stamp, body)}",
            }  # fmt: skip
            async with (
                asyncio.timeout(_PATIENCE_SECONDS),
                client.stream("POST", hook.url, content=body, headers=headers) as answer,
            ):
                status = answer.status_code  # what else it answers is not read
            if not 200 <= status < 300:
                error = f"it answered {status}"
        except InvalidInput:
            error = "its host is not among CIM_WEBHOOK_HOSTS"
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as failed:
            # The error's own words may have the address, and that a token.
            error = f"it could not be reached ({type(failed).__name__})"
        again = None
        if error is not None and now - delivery.made < _GIVEN_UP_MS:
            again = now + min(_LONGEST_MS, _FIRST_MS << min(delivery.attempts, 16))
        if error is not None and again is None:
            _log.warning(
                "the delivery %s to the hook %s is given up: %s", delivery.id, hook.id, error
            )
        await asyncio.to_thread(self._hooks.tried, delivery, status, error, again)
        return error is None


def signature(secret: str, stamp: str, body: bytes) -> str:
    """What proves that a body was sent at a time (seconds since 1970) by who knows the secret.

    >>> signature("s", "0", b"{}")[:8]
    'e79b1f68'
    """
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _how_late(order: Subject, today: date) -> dict[str, Any]:
    return {"overdue_days": overdue_days(order.document, today)}


def _body(what: What, order: Subject, project: Subject, moment: int, more: dict[str, Any]) -> str:
    """What is posted: which order and how it stands, nothing that people wrote about it but its title."""
    document = order.document
    told = {
        "event": what, "moment": moment, "order": order.id, "number": document.get("number", ""),
        "title": document["title"], "state": document.get("state", "draft"), "unit": document["unit"],
        "deadline": document.get("deadline"), "project": project.id, "project_name": project.document["name"],
        "town": project.document["town"], **more,
    }  # fmt: skip
    return json.dumps(told, ensure_ascii=False)
