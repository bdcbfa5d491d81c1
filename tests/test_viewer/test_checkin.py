"""What a check-in found, in a real browser: counts, the table, and the way to an element."""

from pathlib import Path

from cim_core.city import City
from tests.support import ifc_faults as faults
from tests.support.ifc_factory import write_ifc
from tests.support.ifc_faults import CLEAN
from tests.support.serving import Server


def test_a_finding_leads_to_its_element_and_a_refusal_tells_its_reasons(
    server: Server, city: City, tmp_path: Path, visit
) -> None:
    path = tmp_path / "faulty.ifc"
    write_ifc(path, CLEAN, faults.elevated, faults.brep_without(1), faults.named("Name", None, 2))
    server.finished(server.upload(path)["jobID"])
    page = visit(server.url, width=1280, height=720)
    layer = page.locator(".layer-details details.checkin")
    assert "warnings: 1" in layer.text_content()
    assert "notes: 1" in layer.text_content()
    layer.locator("summary").first.click()
    rule = layer.locator(".checkin-rule", has_text="Solid not closed")
    rule.locator("summary").click()
    rule.get_by_role("button", name="open edges of 4 m in all").click()
    page.wait_for_function("() => window.cim.selection()")
    report = server.client.get("/collections/faulty/versions/1/checkin").json()
    expected = next(f["id"] for f in report["findings"] if f["rule"] == "shell-open")
    assert page.evaluate("() => window.cim.selection()") == {"layer": "faulty", "id": expected}
    page.wait_for_function(
        "() => document.querySelector('.attributes')?.innerText.includes('Box 0')"
    )

    (city.folder / "checkin.toml").write_text("[shell-open]\nrefuse = true\n")
    server.finished(server.upload(path, layer="other")["jobID"])
    page.click("#tab-imports")
    row = page.locator(".import-row", has_text="faulty.ifc").first
    page.wait_for_function(
        "() => document.querySelector('.import-row.failed')?.innerText.includes('is refused')"
    )
    row.locator("details.checkin > summary").click()
    refused = row.locator(".checkin-rule", has_text="Solid not closed")
    assert "keeps out" in refused.text_content()
    refused.locator("summary").click()
    refused.locator("td", has_text="open edges of 4 m").wait_for()
    assert refused.get_by_role("button", name="open edges").count() == 0, "it is in no scene"
    assert [entry["id"] for entry in page.evaluate("() => window.cim.layers()")] == ["faulty"]
