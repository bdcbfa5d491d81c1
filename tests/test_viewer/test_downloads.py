"""Taking geometry out of the viewer."""

import zipfile

from cim_core.city import City
from cim_core.store.features import Query
from tests.support.serving import Server


def test_a_selected_element_can_be_downloaded_for_other_programs(
    sample_server: Server, sample_city: City, visit
) -> None:
    [column, *_] = sample_city.features.find(
        "office", 1, Query(feature_class="IfcColumn"), after=None, limit=1
    )
    page = visit(sample_server.url, width=1280, height=720)
    page.evaluate("(id) => window.cim.select('office', id)", column.feature.id)
    links = page.locator(".attributes .downloads a")
    links.first.wait_for()
    assert links.all_text_contents() == ["GLB", "OBJ", "PLY"]
    with page.expect_download() as started:
        links.nth(1).click()
    assert started.value.suggested_filename == f"office-{column.feature.id}.zip"
    names = zipfile.ZipFile(started.value.path()).namelist()
    assert names == [f"office-{column.feature.id}.obj", f"office-{column.feature.id}.mtl"]
