"""What the pages of the viewer may do, by the server's own word, is what they need."""

import httpx

from tests.support.serving import Server

WORKER = """async ([file, parameters]) => {
  const worker = new Worker(`/viewer/cesium/Workers/${file}`, { type: "module" });
  return new Promise((tell) => {
    worker.onmessage = ({ data }) => tell(String(data.error?.name ?? "ready"));
    worker.onerror = ({ message }) => tell(`not begun: ${message}`);
    worker.postMessage({ id: 0, parameters });
  });
}"""


def test_the_viewer_and_its_workers_need_no_more_than_they_may(
    visit, sample_server: Server
) -> None:
    page = visit(sample_server.url)  # fails for anything odd on the console
    said = httpx.get(f"{sample_server.url}/", headers={"accept": "text/html"}).headers
    script = next(
        part
        for part in said["content-security-policy"].split("; ")
        if part.startswith("script-src")
    )
    assert "'unsafe-eval'" not in script
    assert "'unsafe-inline'" not in script
    # The decoder of KTX2 textures makes functions from text; it may, where no page can be reached.
    decoder = {"webAssemblyConfig": {"wasmBinaryFile": "/viewer/cesium/ThirdParty/none.wasm"}}
    context = page.context.browser.new_context()
    other = context.new_page()
    other.goto(f"{sample_server.url}/docs")
    assert other.evaluate(WORKER, ["transcodeKTX2.js", decoder]) not in ("EvalError", "ready")
    other.wait_for_selector(".opblock-tag")
    context.close()


def test_a_page_that_is_not_named_cannot_show_the_viewer_in_a_frame(
    browser, sample_server: Server
) -> None:
    context = browser.new_context()
    page = context.new_page()
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.set_content(f'<iframe src="{sample_server.url}/"></iframe>', wait_until="commit")
    context.close()
