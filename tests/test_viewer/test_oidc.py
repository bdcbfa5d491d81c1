"""A real browser goes to the city's identity service, which is another site, and comes back."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from cim_core.city import City
from server.access.policy import public_policy
from tests.support.oidc import AUTHORIZE, provider
from tests.support.serving import Server


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_a_browser_comes_back_signed_in_with_a_cookie_no_other_site_can_use(
    browser: Browser, tmp_path: Path
) -> None:
    city = City.open_or_create(tmp_path / "city")
    city.office.policies.put(public_policy().document(), 0, "test")
    city.office.people.add("town-a-reporter", roles=["reporter"], sso=True)
    with provider() as service:  # on localhost, which to a browser is another site than 127.0.0.1
        service.know("subject-1", preferred_username="town-a-reporter")
        server = Server(
            city.folder, tmp_path / "server.log", CIM_OIDC_ISSUER=service.url,
            CIM_OIDC_CLIENT_SECRET="a secret of the client",
        )  # fmt: skip
        context = browser.new_context(locale="zh-CN")
        try:
            context.route("**/viewer/**", lambda route: route.abort())  # the page alone will do
            page = context.new_page()
            page.goto(f"{server.url}/session/oidc")
            assert page.url.startswith(f"{service.url}{AUTHORIZE}")
            page.fill("input[name=sub]", "subject-1")
            page.click("button:has-text('Authorize')")
            page.wait_for_url(f"{server.url}/")
            name = "fetch('/session').then(r => r.json()).then(s => s.person.name)"
            assert page.evaluate(name) == "town-a-reporter"
            [cookie] = context.cookies(server.url)
            assert (cookie["name"], cookie["sameSite"]) == ("cim_session", "Strict")
            assert (cookie["httpOnly"], page.evaluate("document.cookie")) == (True, "")
            service.know("subject-2", preferred_username="nobody-here")
            page.goto(f"{server.url}/session/oidc")
            page.fill("input[name=sub]", "subject-2")
            page.click("button:has-text('Authorize')")
            page.wait_for_url(f"{server.url}/session/oidc/callback**")
            assert "在本城市没有启用的账号" in page.inner_text("body")
        finally:
            context.close()
            server.stop()
        assert server.odd_lines() == []
