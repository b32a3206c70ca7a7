// The page at /docs: static files of the platform, in front of the Worker. SCREENSHOTS=folder keeps what was seen.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { buildDocsPage } from "../../scripts/docs-page.mjs";
import { SIZES, axe, noBrowser, overflows, screenshot, startBrowser } from "./browser.mjs";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";

/** What axe finds in an open call and in the dialog for tokens is the renderer's own, on every page that has it. */
const OF_THE_RENDERER = ["nested-interactive", "label", "select-name", "button-name", "heading-order", "label-content-name-mismatch", "region"];

let gateway;
before(async () => {
  await buildDocsPage();
  gateway = await start({ assets: true });
});
after(() => gateway?.stop());

describe("the files", () => {
  test("have a strict policy: nothing inline, nothing evaluated, nothing from elsewhere", () =>
    eachCase([["/docs", "text/html"], ["/docs/page.js", "text/javascript"], ["/docs/page.css", "text/css"], ["/docs/swagger-ui-bundle.js", "text/javascript"], ["/docs/swagger-ui.css", "text/css"]], async ([path, type]) => {
      const response = await gateway.fetch(path);
      assert.equal(response.status, 200);
      const header = (name) => response.headers.get(name);
      assert.ok(header("content-type").startsWith(type), header("content-type"));
      const policy = new Map(header("content-security-policy").split("; ").map((part) => [part.split(" ")[0], part.split(" ").slice(1).join(" ")]));
      for (const name of ["default-src", "base-uri", "form-action", "frame-ancestors"]) assert.equal(policy.get(name), "'none'", name);
      for (const name of ["script-src", "style-src", "connect-src"]) assert.equal(policy.get(name), "'self'", name);
      assert.equal(policy.get("img-src"), "'self' data:");
      assert.equal(header("x-content-type-options"), "nosniff");
      assert.equal(header("x-frame-options"), "DENY");
      assert.equal(header("referrer-policy"), "no-referrer");
      assert.equal(header("cross-origin-opener-policy"), "same-origin");
      assert.equal(header("access-control-allow-origin"), null);
      const text = await response.text();
      if (type === "text/html") assert.doesNotMatch(text, /<script>|<style|\s(on\w+|style)=/);
    }));

  test("are in front of /docs alone: all other paths are the Worker's", () =>
    eachCase([["/", 200], ["/health", 200], ["/openapi.json", 200], ["/integration", 401], ["/docsx", 404], ["/_headers", 404], ["/docs.html", 404]], async ([path, status]) => {
      const response = await gateway.fetch(path);
      assert.equal(response.status, status);
      assert.ok(response.headers.get("x-request-id"));
      await response.text();
    }));
});

describe("in a browser", { skip: noBrowser }, () => {
  let browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.stop());

  for (const size of Object.keys(SIZES)) {
    test(`${size}: the API can be read, and a call made with a pasted token`, async () => {
      const page = await browser.page(size);
      await page.goto(gateway.url.origin);
      await page.getByRole("link", { name: "The API, to read and try" }).click();
      const group = page.locator("#operations-tag-integration");
      await group.waitFor();
      await screenshot(page, `docs-${size}`);
      assert.deepEqual(await axe(page), []);
      assert.equal(await overflows(page), false);

      await page.getByRole("button", { name: "Authorize" }).first().click();
      const dialog = page.locator(".modal-ux");
      await dialog.locator("input").first().fill(gateway.vars.ADMIN_TOKEN);
      await dialog.getByRole("button", { name: "Apply credentials" }).first().click();
      await screenshot(page, `docs-token-${size}`);
      await dialog.locator(".close-modal").click();

      await group.click();
      const call = page.locator("#operations-integration-listIntegrations");
      await call.locator("button").first().click();
      await call.getByRole("button", { name: "Try it out" }).click();
      await call.getByRole("button", { name: "Execute" }).click();
      const answer = call.locator(".live-responses-table");
      await answer.waitFor();
      await screenshot(page, `docs-call-${size}`);
      assert.match(await answer.innerText(), /200[^]*"result": \[\]/);
      const others = (await axe(page)).filter((line) => !OF_THE_RENDERER.includes(line.split(":")[0]));
      assert.deepEqual(others, []);
      assert.equal(await overflows(page), false);
      assert.deepEqual(page.problems, []);
      const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
      assert.equal(kept, '[{},{},""]', "a token outlives its page nowhere");
    });
  }
});
