"""What the Web Map Tile Service says of itself (OGC 07-057r7), for desktop GIS."""

import math
from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from cim_core.store.layers import LayerVersion

_LEVELS = 23
_LEVEL_0_SCALE = 559_082_264.028_717_8
"""Of a map of the world on 256 pixels of 0.28 mm, as the standard has it (Annex E.4)."""
_EDGE = math.pi * 6378137.0

_RELIEF = ("hillshade", "slope")


def capabilities(layers: Sequence[LayerVersion], base: str, prefixes: Mapping[str, str]) -> str:
    """The capabilities document; `base` is where the server is, without a slash at the end.

    `prefixes` are what the addresses of a layer's tiles begin with, by layer.
    """
    described = "".join(
        entry for layer in layers for entry in _entries(layer, base + prefixes.get(layer.layer, ""))
    )
    matrices = "".join(_matrix(level) for level in range(_LEVELS))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Capabilities xmlns="http://www.opengis.net/wmts/1.0" xmlns:ows="http://www.opengis.net/ows/1.1" \
xmlns:xlink="http://www.w3.org/1999/xlink" version="1.0.0">
<ows:ServiceIdentification><ows:Title>CIM Twin</ows:Title>\
<ows:ServiceType>OGC WMTS</ows:ServiceType>\
<ows:ServiceTypeVersion>1.0.0</ows:ServiceTypeVersion></ows:ServiceIdentification>
<Contents>{described}<TileMatrixSet><ows:Identifier>WebMercatorQuad</ows:Identifier>\
<ows:SupportedCRS>urn:ogc:def:crs:EPSG::3857</ows:SupportedCRS>\
<WellKnownScaleSet>urn:ogc:def:wkss:OGC:1.0:GoogleMapsCompatible</WellKnownScaleSet>\
{matrices}</TileMatrixSet></Contents>
<ServiceMetadataURL xlink:href={quoteattr(base + "/wmts")}/>
</Capabilities>
"""


def _entries(layer: LayerVersion, base: str) -> Iterator[str]:
    """A layer of the service for each way a layer of the city can be drawn."""
    match layer.summary.get("kind"):
        case "imagery":
            yield _entry(layer, layer.layer, layer.title, "", base)
        case "vector":
            yield _entry(layer, layer.layer, layer.title, "", base)
        case "terrain":
            for style in _RELIEF:
                name = f"{layer.layer}:{style}"
                yield _entry(layer, name, f"{layer.title} ({style})", f"/{style}", base)


def _entry(layer: LayerVersion, name: str, title: str, way: str, base: str) -> str:
    template = (
        f"{base}/tiles/{layer.layer}/{layer.version}{way}"
        "/{TileMatrix}/{TileCol}/{TileRow}.png"
    )
    box = layer.summary["bbox"]
    corners = (
        f"<ows:WGS84BoundingBox><ows:LowerCorner>{box[0]} {box[1]}</ows:LowerCorner>"
        f"<ows:UpperCorner>{box[3]} {box[4]}</ows:UpperCorner></ows:WGS84BoundingBox>"
        if box
        else ""
    )
    return (
        f"<Layer><ows:Title>{escape(title)}</ows:Title>{corners}"
        f"<ows:Identifier>{escape(name)}</ows:Identifier>"
        '<Style isDefault="true"><ows:Identifier>default</ows:Identifier></Style>'
        "<Format>image/png</Format>"
        "<TileMatrixSetLink><TileMatrixSet>WebMercatorQuad</TileMatrixSet></TileMatrixSetLink>"
        f'<ResourceURL format="image/png" resourceType="tile" template={quoteattr(template)}/>'
        "</Layer>"
    )


def _matrix(level: int) -> str:
    side = 1 << level
    return (
        f"<TileMatrix><ows:Identifier>{level}</ows:Identifier>"
        f"<ScaleDenominator>{_LEVEL_0_SCALE / side!r}</ScaleDenominator>"
        f"<TopLeftCorner>{-_EDGE!r} {_EDGE!r}</TopLeftCorner>"
        f"<TileWidth>256</TileWidth><TileHeight>256</TileHeight>"
        f"<MatrixWidth>{side}</MatrixWidth><MatrixHeight>{side}</MatrixHeight></TileMatrix>"
    )
