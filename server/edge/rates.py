"""How often somebody may ask."""

import re
import time
from collections import OrderedDict, deque

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.types import Scope

from cim_core.errors import TooMany
from server.access.person import Person
from server.edge.addresses import client_address, is_loopback, network
from server.settings import Settings

_FILES = ("/t/", "/tiles/", "/viewer/", "/c/")
"""Below these lie files and map tiles, of which a viewer asks for thousands."""
_RECORDS = re.compile(
    r"^/ingest$|^/sta/v1\.1/.*Observations$|^/traffic/(messages|controller)/[^/]+$"
)
"""Where observations and messages are posted, by devices, which are many."""
_MOST_KEYS = 20_000


class Windows(MemoryStorage):
    """The requests of the last minute, in bounded memory.

    The library's own memory never forgets an address, and looks through all of them in a thread of
    its own after each request: half a core with 10,000 addresses and 200 requests a second.

    Here the keys stand in the order of their latest request, so that what is over lies at one end.
    With more than `most` keys in a minute, those that were silent longest are forgotten. Times are
    those of the monotonic clock.
    """

    def __init__(self, most: int = _MOST_KEYS) -> None:
        super().__init__()
        self._most = most
        self._hits: OrderedDict[str, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._hits)

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count a request, unless there are `limit` within the last `expiry` seconds already."""
        now = time.monotonic()
        hits = self._hits.get(key) or deque()
        while hits and hits[0] <= now - expiry:
            hits.popleft()
        if len(hits) + amount > limit:
            return False
        hits.extend([now] * amount)
        self._hits[key] = hits
        self._hits.move_to_end(key)
        while len(self._hits) > self._most or next(iter(self._hits.values()))[-1] <= now - expiry:
            self._hits.popitem(last=False)
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """The time of the oldest request that still counts, and how many do."""
        hits = self._hits.get(key)
        return (hits[0], len(hits)) if hits else (time.monotonic(), 0)


class Rates:
    """The checks of how often an address and a person asked within the last minute.

    This machine itself is not counted as an address: whoever is on it can do worse.
    """

    def __init__(self, settings: Settings) -> None:
        self._limiter = MovingWindowRateLimiter(Windows())
        self._of_address = RateLimitItemPerMinute(settings.rate_address, namespace="address")
        self._sign_in = RateLimitItemPerMinute(settings.rate_sign_in, namespace="sign-in")
        self._files = RateLimitItemPerMinute(settings.rate_files, namespace="files")
        self._records = RateLimitItemPerMinute(settings.rate_record, namespace="records")
        self._questions = RateLimitItemPerMinute(settings.rate_person, namespace="questions")

    def address(self, scope: Scope) -> None:
        """Raise `TooMany` where all requests of an address together are too many."""
        if not is_loopback(scope):
            limit = self._records if _records(scope) else self._of_address
            self._count(limit, network(client_address(scope)))

    def sign_in(self, scope: Scope) -> None:
        """Raise `TooMany` where an address tries to sign in too often.

        Each try costs what makes passwords hard to guess, so this counts for this machine, too. The
        routes ask before they compare anything. A name that is locked costs nothing and is not
        counted, so a storm at one account keeps nobody else of that address out.
        """
        self._count(self._sign_in, network(client_address(scope)))

    def person(self, scope: Scope) -> None:
        """Raise `TooMany` where a person, a key, or an address of strangers asks too often."""
        person: Person | None = scope.get("state", {}).get("person")
        if person is not None and person.id is not None:
            who = f"key {person.key}" if person.key else f"person {person.id}"
        elif is_loopback(scope):
            return
        else:
            who = network(client_address(scope))
        files = scope.get("method") in ("GET", "HEAD") and scope["path"].startswith(_FILES)
        limit = self._files if files else self._questions
        self._count(self._records if _records(scope) else limit, who)

    def _count(self, limit: RateLimitItemPerMinute, who: str) -> None:
        if not self._limiter.hit(limit, who):
            wait = self._limiter.get_window_stats(limit, who).reset_time - time.monotonic()
            seconds = max(1, round(wait))
            raise TooMany(
                f"that was asked too often: more than {limit.amount} times within a minute; "
                f"go on in {seconds} s",
                seconds,
            )


def _records(scope: Scope) -> bool:
    return scope.get("method") == "POST" and _RECORDS.search(scope["path"]) is not None
