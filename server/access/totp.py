"""The second factor: codes of an authenticator app that are good for half a minute (RFC 6238)."""

import io
from datetime import UTC, datetime

import pyotp
import segno

_DRIFT_STEPS = 1
"""A phone's clock may be off by so many half minutes."""


def new_secret() -> str:
    """A secret of 160 bits, as apps take it."""
    return pyotp.random_base32()


def uri(secret: str, name: str, city: str) -> str:
    """What an authenticator app reads: whose code, of which city."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=city)


def picture(address: str) -> str:
    """An address as a QR code, an SVG element of its own."""
    out = io.BytesIO()
    segno.make(address, micro=False).save(
        out, kind="svg", scale=4, border=4, xmldecl=False, light="#fff"
    )
    return out.getvalue().decode()


def step_of(secret: str, code: str, now: float) -> int | None:
    """The half minute a code belongs to; None if it is none of these, or just past or to come.

    A code must not be taken twice: whoever asks keeps the greatest step that was used, and takes no
    step that is not greater (RFC 6238, 5.2).

    >>> key = new_secret()
    >>> step_of(key, pyotp.TOTP(key).at(59), 59.0), step_of(key, pyotp.TOTP(key).at(59), 120.0)
    (1, None)
    """
    totp = pyotp.TOTP(secret)
    present = totp.timecode(datetime.fromtimestamp(now, UTC))
    digits = "".join(code.split())
    for step in range(present - _DRIFT_STEPS, present + _DRIFT_STEPS + 1):
        if pyotp.utils.strings_equal(digits, totp.generate_otp(max(step, 0))):
            return step
    return None
