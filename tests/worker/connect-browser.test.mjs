// The same in a real browser, as customers see it: page, provider, result; at two sizes, by keyboard, without JavaScript.
// SCREENSHOTS=folder keeps what was seen.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { SIZES, axe, noBrowser, overflows, screenshot, startBrowser, tabTo } from "./browser.mjs";
import { start } from "./harness.mjs";
import { installOauth, oauthEnvironment, linkToken } from "./oauth-accounts.mjs";
import { startProvider } from "./provider.mjs";
import { install, ok } from "./steps.mjs";

const SUBMIT = "form[method=post i] :is(button, input[type=submit])";

describe("in a browser", { skip: noBrowser }, () => {
  let browser, provider, gateway, environment, company, stranger;
  before(async () => {
    [browser, provider, gateway, company, stranger] = await Promise.all([startBrowser(), startProvider(), start({ internet: "real" }), startCompany(), startCompany()]);
    ({ environment } = await oauthEnvironment(gateway, provider, { allowed: [company.url] }));
    ok(await gateway.admin("PATCH", `/environment/${environment.id}`, { display_name: "Keeper's Log" }), 200);
  });
  after(async () => {
    await Promise.all([browser?.stop(), gateway?.stop()]);
    for (const server of [provider, company, stranger]) server?.stop();
  });

  const link = (more) => linkToken(environment, { integration: "rotating-oauth", ...more });
  const submit = (page) => page.locator(SUBMIT).first().click();

  /** A link that was typed: it asks "Is this you?" first. */
  async function openLink(page, { url }) {
    await page.goto(url);
    await page.getByRole("link", { name: "Yes, continue" }).click();
  }

  /** What every page of ours must be. */
  async function looksRight(page, name, size) {
    await screenshot(page, `${name}-${size}`);
    assert.deepEqual(await axe(page), [], name);
    assert.equal(await overflows(page), false, `${name} is wider than a ${size}`);
    assert.ok((await page.title()).length > 0);
    assert.ok(await page.locator("html").getAttribute("lang"));
    assert.deepEqual(page.problems, []);
  }

  async function signIn(page, { deny = false } = {}) {
    await page.getByLabel("User name").fill("ada");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("button", { name: deny ? "Deny" : "Allow" }).click();
  }

  const ours = ({ origin }) => origin === gateway.url.origin;

  for (const size of Object.keys(SIZES)) {
    describe(size, () => {
      test("the page at /", async () => {
        const page = await browser.page(size);
        await page.goto(gateway.url.origin);
        await looksRight(page, "home", size);
        await page.getByRole("link", { name: "The API, for tools" }).click();
        await page.waitForURL("**/openapi.json");
      });

      test("form → login → consent → success", async () => {
        const page = await browser.page(size);
        await page.goto((await link({ redirect_uri: undefined })).url);
        await looksRight(page, "question", size);
        await page.getByRole("link", { name: "Yes, continue" }).click();
        await looksRight(page, "form", size);
        await page.getByLabel("Beacon").fill("North-Pier");
        await submit(page);
        await page.waitForURL(`${provider.url}/interaction/**`);
        await signIn(page);
        await page.waitForURL(ours);
        await looksRight(page, "success", size);
        assert.match(await page.locator("body").innerText(), /Rotating OAuth/);
      });

      test("a mistake is shown next to its field, with the input kept", async () => {
        const page = await browser.page(size);
        await openLink(page, await link());
        await page.locator("form").first().evaluate((form) => (form.noValidate = true)); // the browser's own check comes first
        await page.getByLabel("Beacon").fill("two words");
        await submit(page);
        const field = page.getByLabel("Beacon");
        assert.equal(await field.inputValue(), "two words");
        assert.equal(await field.getAttribute("aria-invalid"), "true");
        const described = (await field.getAttribute("aria-describedby")).split(" ");
        const said = await Promise.all(described.map((id) => page.locator(`[id="${id}"]`).innerText()));
        assert.ok(said.join("").length > 0);
        page.problems.length = 0; // the console tells of the 422
        await looksRight(page, "form-error", size);
      });

      test("a refusal at the provider", async () => {
        const page = await browser.page(size);
        await openLink(page, await link());
        await page.getByLabel("Beacon").fill("north");
        await submit(page);
        await signIn(page, { deny: true });
        await page.waitForURL(ours);
        page.problems.length = 0;
        await looksRight(page, "denied", size);
      });

      test("a link that is not valid", async () => {
        const page = await browser.page(size);
        await page.goto(`${(await link()).url}x`);
        page.problems.length = 0;
        await looksRight(page, "invalid-link", size);
      });

      test("the choice of an integration, and of a credential", async () => {
        await install(gateway, environment, "api-key");
        await installOauth(gateway, environment, provider, "rotating-oauth-choice");
        const page = await browser.page(size);
        await openLink(page, await link({ integration: undefined }));
        await looksRight(page, "integrations", size);
        await openLink(page, await link({ integration: "rotating-oauth-choice" }));
        await looksRight(page, "credentials", size);
      });
    });
  }

  test("by keyboard alone, and what has the focus can be seen", async () => {
    const page = await browser.page();
    await openLink(page, await link());
    await tabTo(page, "input[name=beacon]");
    assert.equal(await page.evaluate(hasVisibleFocus), true);
    await page.keyboard.type("north");
    await tabTo(page, SUBMIT);
    assert.equal(await page.evaluate(hasVisibleFocus), true);
    await screenshot(page, "focus-desktop");
    await page.keyboard.press("Enter");
    await page.waitForSelector("input[name=login]");
    await tabTo(page, "input[name=login]");
    await page.keyboard.type("ada");
    await page.keyboard.press("Enter");
    await page.waitForSelector("button[value=allow]");
    await tabTo(page, "button[value=allow]");
    await page.keyboard.press("Enter");
    await page.waitForURL(ours);
    assert.match(await page.locator("body").innerText(), /Rotating OAuth/);
  });

  test("without JavaScript", async () => {
    const page = await browser.page("phone", { javaScript: false });
    await openLink(page, await link({ redirect_uri: `${company.url}/done` }));
    await page.getByLabel("Beacon").fill("north");
    await submit(page);
    await signIn(page);
    await page.waitForURL(`${company.url}/done?**`);
    const result = Object.fromEntries(new URL(page.url()).searchParams);
    assert.equal(result.result, "success");
    const account = ok(await environment.call("GET", `/integrated-account/${result.integrated_account_id}`), 200);
    assert.equal(account.context.label, "Beacon north");
  });

  test("response_mode=form_post: the cookie crosses the sites", async () => {
    await installOauth(gateway, environment, provider, "rotating-oauth-form-post");
    const page = await browser.page();
    await openLink(page, await link({ integration: "rotating-oauth-form-post", redirect_uri: `${company.url}/done` }));
    await page.getByLabel("Beacon").fill("north");
    await submit(page);
    await signIn(page);
    await page.waitForURL(`${company.url}/done?**`);
    assert.equal(new URL(page.url()).searchParams.get("result"), "success");
  });

  describe("in a pop-up", () => {
    /** Opens the link in a window of this opener's page and connects there. */
    async function connectFrom(opener, made, { asks = false } = {}) {
      const page = await browser.page();
      await page.goto(opener.url);
      const [popup] = await Promise.all([page.waitForEvent("popup"), page.evaluate((url) => void open(url, "connect", "width=500,height=700"), `${made.url}&display=popup`)]);
      if (asks) await popup.getByRole("link", { name: "Yes, continue" }).click();
      await popup.getByLabel("Beacon").fill("north");
      await submit(popup);
      await signIn(popup);
      return { page, popup };
    }
    const closed = async (popup) => popup.isClosed() || popup.waitForEvent("close");
    const received = (page) => page.evaluate(() => globalThis.received);

    test("the company's page hears the result, and the window closes", async () => {
      const { page, popup } = await connectFrom(company, await link({ redirect_uri: `${company.url}/done` }));
      await page.waitForFunction(() => globalThis.received.length > 0);
      await closed(popup);
      const [{ origin, data }, ...more] = await received(page);
      assert.deepEqual(more, []);
      assert.equal(origin, gateway.url.origin);
      assert.deepEqual([data.result, data.integration], ["success", "rotating-oauth"]);
      assert.equal(ok(await environment.call("GET", `/integrated-account/${data.integrated_account_id}`), 200).status, "active");
    });

    test("a page of another origin that opened the same window hears nothing", async () => {
      const { page, popup } = await connectFrom(stranger, await link({ redirect_uri: `${company.url}/done` }), { asks: true });
      await closed(popup);
      await page.waitForTimeout(300);
      assert.deepEqual(await received(page), []);
    });
  });
});

const hasVisibleFocus = () => {
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
  return (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none";
};

/** A company's own site: every page keeps the messages that it gets in `received`. */
async function startCompany() {
  const server = createServer((request, response) => {
    response.setHeader("content-type", "text/html");
    response.end(`<!doctype html><html lang="en"><title>Company</title><h1>Company</h1>
<script>globalThis.received = []; addEventListener("message", ({ origin, data }) => received.push({ origin, data }));</script></html>`);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://localhost:${server.address().port}`, stop };
}
