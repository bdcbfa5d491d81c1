"""JSON objects as clients send them, of which nothing is known but that they are to be kept."""

import json
from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError


def _kept(value: dict[str, Any]) -> dict[str, Any]:
    """An object as it is; an error for what is no JSON, though Python reads it."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise PydanticCustomError(
            "too_deep", "this has objects in objects without end; send fewer of them"
        ) from None
    except ValueError:  # also of letters that cannot be encoded
        raise PydanticCustomError(
            "no_json",
            "this holds half a letter (a lone surrogate), or a number that is none; send whole "
            "letters and finite numbers",
        ) from None
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(_kept)]
"""An object whose letters and numbers can be written down again."""
