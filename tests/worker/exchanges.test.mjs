// A provider that leaves RFC 6749 in most places at once, and the form words of its connect page, in a real runtime.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { SIZES, axe, noBrowser, overflows, screenshot, startBrowser } from "./browser.mjs";
import { COMPANY, leaves, linkToken } from "./oauth-accounts.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";
import { ok } from "./steps.mjs";
import { Visitor } from "./visitor.mjs";

const FIELDS = [
  {
    name: "edition",
    label: "Edition",
    type: "single_select",
    required: true,
    options: [
      { label: "Cloud", value: "cloud", set: { zone: "eu", plan: 7 } },
      { label: "Your own server", value: "server" },
    ],
  },
  { name: "team", label: "Team", required: true, prefix: "https://", suffix: ".named.example", not_pattern: "test.*", docs_url: "https://named.example/docs/teams", visible_when: { field: "edition", is: ["cloud"] } },
  { name: "server", label: "Server", required: true, format: "hostname", visible_when: { field: "edition", is: ["server"] } },
];

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function named(url) {
  return {
    client: { id: "app-1", secret: "s+/=:1", idParamName: "app_id", secretParamName: "secret" },
    auth: { authorizeUrl: `${url}/portal?lang=en`, tokenUrl: `${url}/token` },
    options: { authorizationMethod: "body", bodyFormat: "json" },
    authorizeParamNames: { response_type: null, state: "custom" },
    authorizeFragment: "/oauth/authorize",
    params: { nonce: "{{random}}" },
    codeParam: "auth_code",
    tokenParamNames: { code: "auth_code", grant_type: null, redirect_uri: null },
    tokenHeaders: { "x-version": "2026-01-01" },
    tokenResponsePath: "data",
    tokenNames: { access_token: "token", refresh_token: "again", expires_in: "valid_for" },
    expires_in_unit: "minutes",
    contextFromClaims: { person: "sub" },
    fields: FIELDS,
  };
}

const steps = [
  { type: "request", config: { method: "post", path: "/short", body: { code: "{{body.code}}", verifier: "{{body.code_verifier}}", extra: "{{body.callback.extra}}" } } },
  { type: "request", config: { path: "/long", query: { token: "{{body.token}}" } } },
  { type: "transform", config: '{ "access_token": $previous.long, "expires_in": 3600 }' },
];

const config = (more) => (url) => ({
  credentials: {
    api_key: { config: { fields: [{ name: "api_key", type: "password" }] } },
    oauth2: { config: named(url) },
  },
  authorization: { format: "bearer", config: { token: "{{oauth.token.access_token|api_key}}" } },
  resources: { items: { get: { path: "/items/{{id}}" } } },
  ...more?.(url),
});

/** A customer who fills in the form: the address they are sent to, and the way back with this query. */
async function visit(scripted, values) {
  const link = await linkToken(scripted.environment, { integration: scripted.installed.integration_name, redirect_uri: COMPANY });
  const visitor = new Visitor();
  const page = await visitor.open(`${link.url}&credential=oauth2`);
  const sent = await visitor.submit(page, values, { until: leaves(link) });
  const back = (query) => visitor.open(`${new URL(link.url).origin}/connect/${scripted.installed.integration_name}/callback?${query}`, { from: scripted.url, until: leaves(link) });
  return { sent, there: sent.next && new URL(sent.next), back };
}

const connected = async ({ environment }) => ok(await environment.call("GET", "/integrated-account"), 200).result.find(({ authentication_method }) => authentication_method === "oauth2");

describe("a provider with its own names", () => {
  let scripted, browser;
  before(async () => {
    scripted = await startScriptedProvider({ config: config() });
    if (!noBrowser) browser = await startBrowser();
  });
  after(() => Promise.all([scripted?.stop(), browser?.stop()]));

  test("connects, is called and is refreshed", async () => {
    const token = (name, minutes) => ({ body: { code: 0, data: { token: name, again: `${name}-again`, valid_for: minutes, id_token: `e30.${base64url({ sub: "ada" })}.c2ln` } } });
    scripted.answers.set("/token", (_, n) => token(`token-${n}`, n === 1 ? 60 : 90));
    const { there, back } = await visit(scripted, { edition: "cloud", team: "https://acme.named.example" });
    assert.equal(there.pathname + there.search, "/portal?lang=en");
    const [path, query] = there.hash.slice(1).split("?");
    assert.equal(path, "/oauth/authorize");
    const asked = new URLSearchParams(query);
    assert.deepEqual([...asked.keys()], ["app_id", "redirect_uri", "custom", "code_challenge", "code_challenge_method", "nonce"]);
    assert.match(asked.get("nonce"), /^[0-9a-f]{32}$/);
    const page = await back(new URLSearchParams({ custom: asked.get("custom"), auth_code: "the-code", code: "another" }));
    assert.equal(new URL(page.next).searchParams.get("result"), "success");

    const [exchange] = scripted.at("/token");
    const { code_verifier, ...body } = JSON.parse(exchange.body);
    assert.deepEqual(body, { auth_code: "the-code", app_id: "app-1", secret: "s+/=:1" });
    assert.equal(code_verifier.length, 43);
    assert.equal(exchange.headers["x-version"], "2026-01-01");
    const account = await connected(scripted);
    assert.deepEqual(account.context, { edition: "cloud", team: "acme", zone: "eu", plan: 7, person: "ada" });

    ok(await scripted.environment.call("POST", "/integrated-account/refresh-credentials", { id: account.id }), 200);
    const refresh = JSON.parse(scripted.at("/token")[1].body);
    assert.deepEqual(refresh, { refresh_token: "token-1-again", app_id: "app-1", secret: "s+/=:1" });
    ok(await scripted.call("GET", "/proxy/items/a:b,(c)", undefined, {}, { account }), 200);
    const called = scripted.requests.at(-1);
    assert.equal(called.headers.authorization, "Bearer token-2");
    assert.equal(called.path, "/items/a:b,(c)");
    assert.deepEqual(await scripted.gateway.filesHolding("token-2"), []);
  });

  test("a callback under another name of state connects nothing", async () => {
    const before = scripted.requests.length;
    const { there, back } = await visit(scripted, { edition: "server", server: "app.example.com" });
    const state = new URLSearchParams(there.hash.split("?")[1]).get("custom");
    const page = await back(new URLSearchParams({ other: state, auth_code: "c" }));
    assert.notEqual(page.next && new URL(page.next).searchParams.get("result"), "success");
    assert.equal(scripted.requests.length, before);
  });

  test("a wrong value is shown next to its field, and a hidden field is not asked for", async () => {
    const { sent } = await visit(scripted, { edition: "cloud", team: "test-1" });
    assert.equal(sent.status, 422);
    assert.match(sent.text, /“Team” does not have the form/);
    assert.doesNotMatch(sent.text, /Fill in “Server”/);
  });

  for (const size of Object.keys(SIZES)) {
    test(`the form on a ${size}`, { skip: noBrowser }, async () => {
      const link = await linkToken(scripted.environment, { integration: scripted.installed.integration_name });
      const page = await browser.page(size);
      await page.goto(`${link.url}&credential=oauth2`);
      await page.getByRole("link", { name: "Yes, continue" }).click();
      assert.equal(await page.getByLabel("Team", { exact: true }).isVisible(), false);
      await page.getByLabel("Edition").selectOption("cloud");
      assert.equal(await page.getByLabel("Team", { exact: true }).isVisible(), true);
      assert.equal(await page.getByLabel("Server").isVisible(), false);
      await screenshot(page, `form-words-${size}`);
      assert.deepEqual(await axe(page), []);
      assert.equal(await overflows(page), false);
      await page.getByLabel("Edition").selectOption("server");
      assert.equal(await page.getByLabel("Server").isVisible(), true);
      assert.equal(await page.getByLabel("Team", { exact: true }).isVisible(), false);
      assert.deepEqual(page.problems, []);
    });
  }
});

describe("steps in place of the token request", () => {
  let scripted;
  before(async () => {
    const plain = (url) => ({
      credentials: {
        api_key: { config: { fields: [{ name: "api_key", type: "password" }] } },
        oauth2: { config: { client: { id: "app-1", secret: "app-secret" }, auth: { authorizeUrl: `${url}/portal` } } },
      },
      actions: { exchange_code: { steps }, pre_delete: { type: "request", config: { method: "post", path: "/uninstall" } } },
      rate_limit: { retry_on: [423] },
    });
    scripted = await startScriptedProvider({ config: config(plain) });
  });
  after(() => scripted?.stop());

  test("get the token, and the end of the account is said to the provider", async () => {
    scripted.answers.set("/short", () => ({ body: { token: "short" } }));
    scripted.answers.set("/long", () => ({ body: { long: "long-token" } }));
    const { there, back } = await visit(scripted, {});
    const page = await back(new URLSearchParams({ state: there.searchParams.get("state"), code: "the-code", extra: "x" }));
    assert.equal(new URL(page.next).searchParams.get("result"), "success");
    const short = JSON.parse(scripted.at("/short")[0].body);
    assert.deepEqual({ ...short, verifier: short.verifier.length }, { code: "the-code", verifier: 43, extra: "x" });
    assert.equal(scripted.at("/long")[0].query.get("token"), "short");

    const account = await connected(scripted);
    scripted.answers.set("/items/7", (_, n) => (n === 1 ? { status: 423, body: {} } : { body: { n } }));
    const called = await scripted.call("GET", "/proxy/items/7", undefined, {}, { account });
    assert.deepEqual(ok(called, 200), { n: 2 });
    assert.equal(scripted.requests.at(-1).headers.authorization, "Bearer long-token");

    scripted.answers.set("/uninstall", () => ({ status: 500, body: {} }));
    ok(await scripted.environment.call("DELETE", `/integrated-account/${account.id}`), 200);
    assert.equal(scripted.at("/uninstall").length, 1);
    assert.equal(await connected(scripted), undefined);
  });
});
