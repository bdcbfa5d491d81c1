"""What people write as text in an address or on the command line, as numbers."""

from cim_core.errors import InvalidInput

_LARGEST = 1e9
"""No number of these is larger, in degrees, metres or as a direction."""


def parse_bbox(
    text: str | None,
) -> tuple[tuple[float, float, float, float] | None, tuple[float, float] | None]:
    """A box, w,s,e,n or w,s,zmin,e,n,zmax, as its sides in degrees and its heights in metres.

    >>> parse_bbox("113.45,23.09,113.47,23.11")
    ((113.45, 23.09, 113.47, 23.11), None)
    """
    if text is None:
        return None, None
    numbers = _numbers(text)
    if len(numbers) == 4:
        west, south, east, north = numbers
        return (west, south, east, north), None
    if len(numbers) == 6:
        west, south, bottom, east, north, top = numbers
        return (west, south, east, north), (bottom, top)
    raise InvalidInput(
        f"bbox={text} is not a box; write west,south,east,north in degrees, as in "
        "bbox=113.45,23.09,113.47,23.11"
    )


def parse_line(text: str) -> tuple[float, float, float, float]:
    """A section line: longitude and latitude of its left end, then of its right."""
    numbers = _numbers(text)
    if len(numbers) == 4 and all(_on_earth(*numbers[i : i + 2]) for i in (0, 2)):
        start_lon, start_lat, end_lon, end_lat = numbers
        return start_lon, start_lat, end_lon, end_lat
    raise InvalidInput(
        f"line={text} is not a section line; write longitude,latitude,longitude,latitude, as in "
        "line=113.4598,23.1001,113.4604,23.1002"
    )


def parse_point(text: str) -> tuple[float, float, float]:
    """A place: longitude, latitude and height above the city's datum."""
    numbers = _numbers(text)
    if len(numbers) == 3 and _on_earth(*numbers[:2]):
        lon, lat, height = numbers
        return lon, lat, height
    raise InvalidInput(
        f"point={text} is not a place; write longitude,latitude,height, as in "
        "point=113.4601,23.1001,12.5"
    )


def parse_place(text: str) -> tuple[float, float]:
    """A place on the map: longitude and latitude."""
    numbers = _numbers(text)
    if len(numbers) == 2 and _on_earth(*numbers):
        lon, lat = numbers
        return lon, lat
    raise InvalidInput(
        f"point={text} is not a place on the map; write longitude,latitude, as in point=113.46,23.1"
    )


def parse_normal(text: str) -> tuple[float, float, float]:
    """A direction: metres east, north and up."""
    numbers = _numbers(text)
    if len(numbers) == 3:
        east, north, up = numbers
        return east, north, up
    raise InvalidInput(
        f"normal={text} is not a direction; write east,north,up, as in normal=0,-1,0"
    )


def _numbers(text: str) -> list[float]:
    """The numbers of a list with commas; none where one of them is no number, or absurd."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return []
    return numbers if all(abs(number) <= _LARGEST for number in numbers) else []


def _on_earth(lon: float, lat: float) -> bool:
    return abs(lon) <= 180 and abs(lat) <= 90
