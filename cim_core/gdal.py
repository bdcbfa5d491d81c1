"""What GDAL may do with a file that somebody brought: read that file, and nothing else.

GDAL tells a format by what is in a file, not by its name, and many of its drivers go on to what the
file names: other files of this machine, or addresses in the network. It comes twice, with rasterio
and with pyogrio, and reads these settings once, when either is first imported. So they are made
when `cim_core` is.

Source: GDAL's documentation of its configuration options.
"""

import logging
import os
import tomllib
from importlib.resources import files

_NOWHERE = "http://127.0.0.1:9"
"""The discard port: where nobody answers."""


def confine() -> None:
    """Set, for this process and those it starts, what GDAL may load and whom it may ask."""
    text = files("cim_core").joinpath("gdal_drivers.toml").read_text(encoding="utf-8")
    os.environ.update(
        {
            "GDAL_SKIP": ",".join(tomllib.loads(text)["skipped"]),
            # No driver that is left should ask the network; a GeoJSON's "crs" does.
            "GDAL_HTTP_PROXY": _NOWHERE,
            "GDAL_HTTPS_PROXY": _NOWHERE,
            "CPL_VSIL_CURL_ALLOWED_FILENAME": "none",
            "PROJ_NETWORK": "OFF",
            "CPL_LOG": os.devnull,  # anything else is the name of a file it would begin
        }
    )
    # Each GDAL says of each driver that only the other has that it is not there.
    logging.getLogger("rasterio._env").addFilter(lambda said: "GDAL_SKIP" not in said.getMessage())
