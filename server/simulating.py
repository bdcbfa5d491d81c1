"""A simulation beside the server, for a city to be looked at."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cim_core.city import City
from cim_core.store.office_account import Account
from server.cli_audited import audited

_PATIENCE_SECONDS = 5


@contextmanager
def simulating(city: City, account: Account, file: Path, address: str) -> Iterator[None]:
    """Play a recording to the server at an address, with a key of its own that ends with it."""
    with audited(city, "administer", "cim serve --simulate", account=account.id) as said:
        key, secret = city.office.keys.add(account.id, "simulation", ["record"], days=1)
        said["key"] = key.id
    command = [sys.executable, "-m", "server", "simulate", str(file), "--to", address]
    child = subprocess.Popen(
        # A dumb terminal: its progress would run through what the server says.
        command, env={**os.environ, "CIM_KEY": secret, "TERM": "dumb"}, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        child.terminate()
        try:
            child.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
        city.office.keys.revoke(key.id)
