"""What this server is, what it conforms to, and whether it is well."""

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, Response

from cim_core import __version__
from cim_core.errors import MissingDependency
from server.answers import json_answer
from server.describe import link
from server.documented import JSON, documented, returns
from server.importers import extensions
from server.sensorthings import conformance as sensorthings
from server.state import AccessDep, StateDep

router = APIRouter(tags=["city"])

CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/ogc-process-description",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/json",
)


@router.get(
    "/",
    summary="The viewer for browsers, the landing page for everyone else",
    **documented("open", returns({JSON: "Landing", "text/html": None}), problems=(503,)),
)
def landing(request: Request, state: StateDep, f: str | None = None) -> Response:
    """The viewer where HTML is asked for; else the OGC API landing page."""
    if f != "json" and "text/html" in request.headers.get("accept", ""):
        page = state.settings.viewer / "index.html"
        if not page.is_file():
            raise MissingDependency("the viewer has not been built; run `make viewer` and reload")
        return FileResponse(page, headers={"cache-control": "no-cache"})
    return json_answer(
        {
            "title": state.whole_city.settings.name,
            "description": "3D city information model served by CIM Twin",
            "links": [
                link("/?f=json", "self"),
                link(
                    "/openapi.json", "service-desc", "application/vnd.oai.openapi+json;version=3.1"
                ),
                link("/docs", "service-doc", "text/html"),
                link("/conformance", "conformance"),
                link("/collections", "data"),
                link("/catalogue", "service-meta", title="catalogue"),
                link("/processes", "http://www.opengis.net/def/rel/ogc/1.0/processes"),
                link("/jobs", "http://www.opengis.net/def/rel/ogc/1.0/job-list"),
                link("/sta/v1.1", "related", title="OGC SensorThings API 1.1"),
            ],
        }
    )


@router.get(
    "/office",
    summary="The page of people, rights and the log",
    **documented("open", returns({"text/html": None}), problems=(503,)),
)
def office(state: StateDep) -> Response:
    """The administration; what it shows comes from routes that ask who wants it."""
    page = state.settings.viewer / "office.html"
    if not page.is_file():
        raise MissingDependency("the viewer has not been built; run `make viewer` and reload")
    return FileResponse(page, headers={"cache-control": "no-cache"})


@router.get(
    "/conformance", summary="Conformance classes", **documented("open", returns("Conformance"))
)
def conformance() -> Response:
    """The OGC conformance classes this server keeps."""
    return json_answer({"conformsTo": (*CONFORMANCE, *sensorthings.CONFORMANCE)})


@router.get("/city", summary="The city", **documented("open", returns("City")))
def city(state: StateDep, access: AccessDep) -> Response:
    """The city's name and place, and what may be uploaded; to those who see nothing of it, its name."""
    settings = state.whole_city.settings
    frame = settings.frame if access.may("read") else None
    return json_answer(
        {
            "name": settings.name,
            "anchor": {"lon": frame.lon, "lat": frame.lat, "height": frame.height}
            if frame
            else None,
            "crs": settings.crs,
            "vertical_datum": settings.vertical_datum,
            "geoid_separation": settings.geoid_separation,
            "version": __version__,
            "max_upload_bytes": state.settings.max_upload_bytes,
            "extensions": extensions(),
        }
    )


@router.get(
    "/docs",
    summary="The interactive description",
    include_in_schema=False,
    **documented("open", returns({"text/html": None})),
)
def docs() -> Response:
    """The API's description, from files of our own: there may be no internet."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="CIM Twin API",
        swagger_js_url="/viewer/swagger/swagger-ui-bundle.js",
        swagger_css_url="/viewer/swagger/swagger-ui.css",
        swagger_favicon_url="data:,",
        swagger_ui_parameters={"docExpansion": "none"},  # there are too many to look through
    )


@router.get(
    "/openapi.json", summary="This description", **documented("open", returns("Description"))
)
def openapi(request: Request) -> Response:
    """Every route with its verb, and every answer it gives."""
    app: FastAPI = request.app
    return json_answer(app.openapi())


@router.get("/healthz", summary="The process answers", **documented("open", returns("Health")))
def healthz() -> Response:
    """200 as long as the process runs."""
    return json_answer({"status": "ok"})


@router.get(
    "/readyz",
    summary="The city can be read and written",
    **documented("open", returns("Health"), problems=(503,)),
)
def readyz(state: StateDep) -> Response:
    """200 when the registry can be read and written and somebody looks after the jobs."""
    state.whole_city.layers.current()
    with state.whole_city.database.transaction():
        pass
    if not state.runner.running:
        raise MissingDependency("nobody looks after the jobs; restart the server and see its log")
    return json_answer({"status": "ready"})
