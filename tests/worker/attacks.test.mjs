// What must not work: each test is an attack, and shows that nothing was exchanged, stored or sent elsewhere.

import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { COMPANY, connect, connectedAccount, fillIn, installOauth, leaves, oauthEnvironment, linkToken, resultOf, toProvider } from "./oauth-accounts.mjs";
import { newVerifier, startProvider } from "./provider.mjs";
import { assertError, importAccount, install, integrationFile, newEnvironment, ok } from "./steps.mjs";
import { Visitor } from "./visitor.mjs";

let provider, gateway, environment;
/** Every request that left the gateway for another host than the provider's: `{url, headers}`. */
const elsewhere = [];

before(async () => {
  provider = await startProvider();
  gateway = await start({ internet: outside });
  ({ environment } = await oauthEnvironment(gateway, provider, { allowed: ["https://company.example"] }));
});
after(async () => {
  await gateway?.stop();
  await provider?.stop();
});
beforeEach(() => {
  provider.received.length = 0;
  elsewhere.length = 0;
});

async function outside(request) {
  const { method, url } = request;
  const headers = Object.fromEntries(request.headers);
  const body = method === "GET" ? undefined : await request.arrayBuffer();
  if (url.startsWith(`${provider.url}/`)) {
    for (const name of ["host", "connection", "content-length", "transfer-encoding"]) delete headers[name];
    return fetch(url, { method, headers, body, redirect: "manual" });
  }
  elsewhere.push({ url, headers });
  return Response.json(new URL(url).pathname === "/token" ? { access_token: "tenant-host-token", token_type: "Bearer", expires_in: 3_600 } : { id: 1 });
}

const accounts = async (of = environment) => ok(await of.call("GET", "/integrated-account"), 200).result;
const link = (more) => linkToken(environment, { integration: "rotating-oauth", redirect_uri: COMPANY, ...more });

/** A login up to the callback, which is not called: `{visitor, made, callback}`. */
async function halfWay({ login, ...more } = {}) {
  const visitor = new Visitor();
  const made = await link(more);
  const callback = new URL(await provider.authorise(await toProvider(made, { visitor }), { login, visitor }));
  return { visitor, made, callback };
}
const call = (visitor, callback) => visitor.open(callback.href, { from: provider.url, until: (next) => !next.startsWith(gateway.url.origin) });

/** The callback is refused: on a page of ours or as an error to the company, with nothing exchanged and no new account. */
async function refused(visitor, callback, errorType) {
  const before = await accounts();
  const { exchanges } = provider.counts();
  const page = await call(visitor, callback);
  if (page.next) {
    const result = resultOf(page);
    assert.equal(result.result, "error");
    if (errorType) assert.equal(result.error_type, errorType);
  } else {
    assert.ok(page.status >= 400 && page.status < 500, `${page.status} ${page.text}`);
  }
  assert.equal(provider.counts().exchanges, exchanges, "nothing was exchanged");
  assert.deepEqual(await accounts(), before);
  return page;
}

describe("state", () => {
  test("reused, after it worked", async () => {
    const { visitor, callback } = await halfWay();
    const cookies = [...visitor.cookies];
    assert.equal(resultOf(await call(visitor, callback)).result, "success");
    await refused(visitor, callback);
    await refused(Object.assign(new Visitor(), { cookies }), callback);
    assert.equal(provider.counts().tokenRequests, 1);
  });

  test("reused, after it was denied", async () => {
    const { visitor, callback } = await halfWay();
    const denied = new URL(callback);
    denied.search = new URLSearchParams({ error: "access_denied", state: callback.searchParams.get("state") });
    const cookies = [...visitor.cookies];
    await refused(visitor, denied);
    await refused(Object.assign(new Visitor(), { cookies }), callback);
  });

  test("used twice at the same moment", async () => {
    const { visitor, callback } = await halfWay();
    const answers = await Promise.all(Array.from({ length: 5 }, () => call(Object.assign(new Visitor(), { cookies: [...visitor.cookies] }), callback)));
    assert.equal(answers.filter(({ next }) => next && resultOf({ next }).result === "success").length, 1);
    assert.equal(provider.counts().tokenRequests, 1);
  });

  test("older than ten minutes", { skip: "the runtime's clock cannot be moved; the Rust tests do" }, () => {});

  test("in a foreign browser: the attacker's callback, opened by the victim", async () => {
    const { visitor, callback } = await halfWay({ login: "mallory" });
    await refused(new Visitor(), callback);
    const victim = new Visitor();
    await toProvider(await link(), { visitor: victim });
    await refused(victim, callback);
    assert.equal(resultOf(await call(visitor, callback)).result, "success", "a stranger's try does not use it up");
  });

  test("in a foreign browser that has a cookie of that name", async () => {
    const { visitor, callback } = await halfWay();
    const guessed = new Visitor();
    guessed.cookies = visitor.cookies.map((cookie) => ({ ...cookie, value: randomBytes(32).toString("base64url") }));
    await refused(guessed, callback);
  });

  test("of another integration", async () => {
    await installOauth(gateway, environment, provider, "rotating-oauth-post");
    const { visitor, callback } = await halfWay();
    callback.pathname = "/connect/rotating-oauth-post/callback";
    await refused(visitor, callback);
  });

  test("forged, cut, doubled, missing", async () => {
    const { visitor, callback } = await halfWay();
    const state = callback.searchParams.get("state");
    const flipped = state.slice(0, -1) + (state.endsWith("A") ? "B" : "A");
    const foreign = (await halfWay()).callback.searchParams.get("state");
    await eachCase([randomUUID(), flipped, state.slice(0, -4), `${state}x`, foreign, "", "'; DROP TABLE account; --", "x".repeat(10_000)], async (forged) => {
      const tried = new URL(callback);
      tried.searchParams.set("state", forged);
      await refused(visitor, tried);
    });
    const doubled = new URL(callback);
    doubled.searchParams.append("state", foreign);
    await refused(visitor, doubled);
    const missing = new URL(callback);
    missing.searchParams.delete("state");
    await refused(visitor, missing);
    assert.equal(provider.counts().tokenRequests, 0);
  });
});

describe("code", () => {
  test("of another account, injected into the victim's callback: PKCE refuses it", async () => {
    const mallory = (await halfWay({ login: "mallory" })).callback.searchParams.get("code");
    const { visitor, callback } = await halfWay({ login: "victim" });
    callback.searchParams.set("code", mallory);
    await refused(visitor, callback, "connection_error");
  });

  test("had by the attacker's own request to the provider", async () => {
    const { visitor, callback } = await halfWay({ login: "victim" });
    const own = provider.client().authorizationUrl({
      state: "mallory",
      redirect_uri: `${gateway.url.origin}/connect/rotating-oauth/callback`,
      code_challenge: newVerifier().challenge,
      code_challenge_method: "S256",
    });
    callback.searchParams.set("code", new URL(await provider.authorise(own, { login: "mallory" })).searchParams.get("code"));
    await refused(visitor, callback, "connection_error");
  });

  test("from another issuer (RFC 9207)", async () => {
    const { visitor, callback } = await halfWay();
    callback.searchParams.set("iss", "https://evil.example");
    await refused(visitor, callback);
    assert.equal(provider.counts().tokenRequests, 0, "no code is shown to the wrong server");
  });

  test("missing, or doubled", async () => {
    await eachCase([(query) => query.delete("code"), (query) => query.delete("iss"), (query) => query.append("code", "another")], async (change) => {
      const { visitor, callback } = await halfWay();
      change(callback.searchParams);
      await refused(visitor, callback);
    });
  });
});

describe("redirect_uri", () => {
  const evil = [
    "https://evil.example/",
    "https://company.example.evil.example/",
    "https://evilcompany.example/",
    "https://company.example@evil.example/",
    "https://company.example:8443/",
    "https://company.example\\@evil.example/",
    "https://company.example\r\nlocation: https://evil.example/",
    "http://company.example/",
    "http://127.0.0.1.evil.example/",
    "//evil.example/",
    "/relative",
    "javascript:alert(1)",
    "data:text/html,evil",
    "",
  ];
  for (const redirect_uri of evil) {
    test(`refused: ${JSON.stringify(redirect_uri)}`, async () => {
      const answer = await environment.call("POST", "/link-token", { tenant_id: "t", integration: "rotating-oauth", redirect_uri });
      assert.ok([400, 422].includes(answer.status), `${answer.status}`);
    });
  }

  test("is taken from the link token alone, not from the page's or the callback's address", async () => {
    const evilQuery = `&redirect_uri=${encodeURIComponent("https://evil.example/")}`;
    const page = await connect(environment, provider, { link: await linkToken(environment, { integration: "rotating-oauth" }), query: evilQuery });
    assert.equal(page.next, null);
    assert.ok(!page.html.includes("evil.example"));

    const { visitor, callback } = await halfWay();
    callback.searchParams.set("redirect_uri", "https://evil.example/");
    assert.equal(new URL((await call(visitor, callback)).next).origin, "https://company.example");
  });

  test("nor from the form, and the form changes nothing else of the link token", async () => {
    const made = await link();
    const visitor = new Visitor();
    const page = await visitor.open(made.url);
    const forged = { redirect_uri: "https://evil.example/", tenant_id: "mallory", instance_url: "https://evil.example", "oauth.token": "x", label: "stolen", client_id: "x", scopes: "admin" };
    const sent = await visitor.submit(page, { beacon: "north" }, { forged, until: leaves(made) });
    assert.equal(new URL(sent.next).searchParams.get("scope"), "offline_access things profile");
    const result = resultOf(await call(visitor, new URL(await provider.authorise(sent.next, { visitor }))));
    const account = ok(await environment.call("GET", `/integrated-account/${result.integrated_account_id}`), 200);
    assert.equal(account.tenant_id, "tenant-1");
    assert.deepEqual([account.context.instance_url, account.context.client_id, account.context.label], [undefined, undefined, "Beacon north"]);
  });

  test("postMessage: never to any origin, and to none when the link token names no page", async () => {
    const named = await connect(environment, provider, { redirect_uri: COMPANY, query: "&display=popup&origin=https%3A%2F%2Fevil.example&target=*" });
    assert.ok(named.html.includes("https://company.example") && !named.html.includes("evil.example"));
    assert.doesNotMatch(named.html, /["'`]\*["'`]/);
    const unnamed = await connect(environment, provider, { query: "&display=popup" });
    assert.doesNotMatch(unnamed.html, /postMessage\(/);
  });
});

describe("link tokens", () => {
  test("mixed fields are refused", async () => {
    const { id } = await connectedAccount(environment, provider);
    const refuse = async (body) => assert.ok([400, 404, 422].includes((await environment.call("POST", "/link-token", body)).status), JSON.stringify(body));
    assertError(await environment.call("POST", "/link-token", { tenant_id: "t", integrated_account_id: id }), 400, "caller.");
    await installOauth(gateway, environment, provider, "rotating-oauth-post");
    await refuse({});
    await refuse({ integrated_account_id: id, integration: "rotating-oauth-post" });
    await refuse({ integrated_account_id: id, region: "eu" });
    await refuse({ tenant_id: "t", integration: "no-such-integration" });
    await refuse({ tenant_id: "t", integration: "rotating-oauth", unknown: 1 });
    await refuse({ tenant_id: "t", integration: "rotating-oauth", region: "moon" });
    await refuse({ tenant_id: "t", integration: "rotating-oauth", context: "text" });
  });

  test("another environment's account is unknown, and its links are", async () => {
    const { id } = await connectedAccount(environment, provider);
    const made = await link();
    const { environment: other } = await oauthEnvironment(gateway, provider);
    assertError(await other.call("POST", "/link-token", { integrated_account_id: id }), 404, "caller.");
    assertError(await other.call("DELETE", `/link-token/${made.id}`), 404, "caller.");
    const moved = made.url.replace(environment.id.replaceAll("-", ""), other.id.replaceAll("-", ""));
    assert.notEqual(moved, made.url);
    assert.equal((await new Visitor().open(moved)).form, undefined);
  });

  test("one for an integration opens no other, a forged one opens nothing", async () => {
    await installOauth(gateway, environment, provider, "rotating-oauth-post");
    const { url, link_token } = await link();
    await eachCase([url.replace("/rotating-oauth", "/rotating-oauth-post"), `${url}x`, url.replace(link_token, "lt_x"), url.replace(link_token, ""), `${url}&link_token=x`], async (tried) => {
      const { status, form } = await new Visitor().open(tried);
      assert.ok(status >= 400 && status < 500, `${status} ${tried}`);
      assert.equal(form, undefined);
    });
  });

  test("a token without scope connect makes none", async () => {
    const reader = ok(await gateway.admin("POST", "/api-token", { environment_id: environment.id, name: "reader", scopes: ["read", "proxy"] }), 201);
    assertError(await gateway.as(reader.token)("POST", "/link-token", { tenant_id: "t", integration: "rotating-oauth" }), 403, "caller.");
  });

  test("submitted in one browser, it is of no use in another", async () => {
    const made = await link();
    await toProvider(made, { visitor: new Visitor() });
    const stranger = new Visitor();
    const page = await stranger.open(made.url);
    const sent = page.form ? await stranger.submit(page, { beacon: "mine" }, { until: leaves(made) }) : page;
    assert.equal(sent.next, null);
  });
});

describe("fields", () => {
  before(async () => {
    await install(gateway, environment, "tenant-host");
  });
  const connectTenantHost = async (values, more) => {
    const made = await linkToken(environment, { integration: "tenant-host", redirect_uri: COMPANY, ...more });
    return fillIn(made, { values: { subdomain: "acme", api_key: "key-1", ...values } });
  };
  const isOurs = ({ url }) => {
    const { protocol, hostname, port, username, password } = new URL(url);
    return protocol === "https:" && /^[a-z0-9-]+\.tenant-host\.example$/.test(hostname) && port === "" && username === "" && password === "";
  };
  const nothingElsewhere = () => assert.deepEqual(elsewhere.filter((request) => !isOurs(request)), []);

  test("harmless ones work", async () => {
    assert.equal(resultOf(await connectTenantHost({ team: "röd & grön/x" })).result, "success");
    const [{ url, headers }] = elsewhere;
    assert.equal(new URL(url).host, "acme.tenant-host.example");
    assert.equal(new URL(url).pathname.split("/").length, 5, "one segment stays one");
    assert.equal(new URL(url).searchParams.get("team"), "röd & grön/x");
    assert.equal(headers["x-key"], "key-1");
  });

  const HOSTS = ["evil.com/", "a@evil.com", "evil.com#", "x.y", "evil.com?", "evil.com\\", "evil.com:443", "evil.com%2f", "evil.com%00", "a:b@evil.com", "evil.com\t", "evil.com\r\nHost: evil.com", " ", ".", "..", "-", "@", "*", "[::1]", "127.0.0.1", "{{api_key}}", "еvil", "evil．com", "evil。com", "ｅvil", "evil\u200d", "İ", "ß", "xn--", "a".repeat(64)];
  for (const subdomain of HOSTS) {
    test(`a subdomain moves no credential: ${JSON.stringify(subdomain)}`, async () => {
      const page = await connectTenantHost({ subdomain });
      nothingElsewhere();
      assert.ok(!page.next || page.next.startsWith("https://company.example/"), page.next);
      assert.ok(elsewhere.every(({ url }) => !url.includes("key-1")));

      const imported = await environment.call("POST", "/integrated-account", {
        tenant_id: "t",
        environment_integration_id: (await install(gateway, environment, "tenant-host")).id,
        authentication_method: "api_key",
        context: { subdomain, api_key: "key-1" },
      });
      if (imported.status === 201) await environment.call("GET", `/proxy/me?integrated_account_id=${imported.body.id}`);
      nothingElsewhere();
    });

    test(`nor one that the link token brings: ${JSON.stringify(subdomain)}`, async () => {
      const answer = await environment.call("POST", "/link-token", { tenant_id: "t", integration: "tenant-host", redirect_uri: COMPANY, context: { subdomain } });
      if (answer.status === 201) {
        const visitor = new Visitor();
        const page = await visitor.open(answer.body.url);
        if (page.form) await visitor.submit(page, { api_key: "key-1" }, { until: leaves(answer.body) });
      }
      nothingElsewhere();
    });
  }

  test("a header is not ended by a field", async () => {
    await eachCase([["api_key", "k\r\nx-evil: 1"], ["api_key", "k\nx-evil: 1"], ["team", "blue\r\nx-evil: 1"], ["team", "blue\rx-evil: 1"], ["api_key", "k\0"]], async ([name, value]) => {
      elsewhere.length = 0;
      await connectTenantHost({ [name]: value });
      await eachCase(elsewhere, ({ headers }) => assert.equal(headers["x-evil"], undefined));
      nothingElsewhere();
    });
  });

  test("a path is not left by a field", async () => {
    await eachCase(["..", ".", "../../admin", "a/b", "a?b=c", "a#b", "%2e%2e", "a\\..\\b"], async (team) => {
      elsewhere.length = 0;
      await connectTenantHost({ team });
      await eachCase(elsewhere, ({ url }) => assert.match(new URL(url).pathname, /^\/v1\/teams\/[^/]+\/me$/));
    });
  });

  test("a field is not a template", async () => {
    await connectTenantHost({ team: "{{api_key}}" });
    await eachCase(elsewhere, ({ url, headers }) => {
      assert.ok(!decodeURIComponent(url).includes("key-1"));
      assert.equal(headers["x-team"], "{{api_key}}");
    });
  });

  test("a field is not HTML, and a password does not come back", async () => {
    const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>'{{7*7}}`;
    const page = await fillIn(await link(), { values: { beacon: evil } });
    assert.equal(page.form.defaults.beacon, evil, "kept as text");
    assert.ok(!page.html.includes("<script>alert") && !page.html.includes("<img src=x"));
    const wrong = await connectTenantHost({ subdomain: "a@evil.com", api_key: "never-shown-again" });
    assert.ok(!wrong.html.includes("never-shown-again"));
  });

  test("nor is what the provider or the address says", async () => {
    const { visitor, made, callback } = await halfWay();
    const evil = "<script>alert(1)</script>";
    callback.search = new URLSearchParams({ error: evil, error_description: evil, state: callback.searchParams.get("state") });
    assert.ok(!(await call(visitor, callback)).html.includes(evil));
    await eachCase([`${made.url}${evil}`, `${gateway.url.origin}/connect/${evil}?link_token=x`, `${made.url}&display=${evil}`], async (url) => {
      assert.ok(!(await new Visitor().open(url)).html.includes(evil), url);
    });
  });

  test("the host of a stored secret does not change alone", async () => {
    const installed = await install(gateway, environment, "tenant-host");
    const { id } = await importAccount(environment, installed, { subdomain: "acme", api_key: "key-1" });
    assertError(await environment.call("PATCH", `/integrated-account/${id}`, { context: { subdomain: "other" } }), 422, "caller.host_key");
  });
});

describe("OAuth at the customer's own host", () => {
  let company;
  before(async () => {
    company = await newEnvironment(gateway, `tenant-host-${randomUUID()}`);
    ok(await gateway.admin("PUT", "/integration/tenant-host-oauth", await integrationFile("tenant-host-oauth")), 200, 201);
    const override = { secret_environment_variables: { client_secret: "the-company's-secret" } };
    ok(await company.call("POST", "/environment-integration", { integration_name: "tenant-host-oauth", override }), 200, 201);
  });
  const isTenantHost = (url) => /^https:\/\/[a-z0-9-]+\.tenant-host\.example(\/|$)/.test(url);
  const begin = async (subdomain) => {
    const visitor = new Visitor();
    const made = await linkToken(company, { integration: "tenant-host-oauth", redirect_uri: COMPANY });
    return { visitor, page: await fillIn(made, { visitor, values: { subdomain } }) };
  };
  const callback = ({ next }, more) => {
    const { searchParams } = new URL(next);
    return new URL(`${searchParams.get("redirect_uri")}?${new URLSearchParams({ code: "c-1", state: searchParams.get("state"), ...more })}`);
  };

  test("the real one works", async () => {
    const { visitor, page } = await begin("acme");
    assert.ok(page.next.startsWith("https://acme.tenant-host.example/authorize?"));
    const result = resultOf(await call(visitor, callback(page, { instance_url: "https://acme-7.tenant-host.example" })));
    assert.equal(result.result, "success", JSON.stringify(result));
    assert.deepEqual(elsewhere.map(({ url }) => new URL(url).host), ["acme.tenant-host.example", "acme-7.tenant-host.example"]);
  });

  for (const subdomain of ["evil.com/", "a@evil.com", "evil.com#", "x.y", "evil.com\\", "еvil", "evil。com"]) {
    test(`neither the customer nor the client secret goes to ${JSON.stringify(subdomain)}`, async () => {
      const { page } = await begin(subdomain);
      assert.ok(!page.next || isTenantHost(page.next) || page.next.startsWith("https://company.example/"), page.next);
      assert.ok(elsewhere.every(({ url }) => isTenantHost(url)));
    });
  }

  for (const instance_url of ["https://evil.example", "https://tenant-host.example.evil.example", "https://a@evil.example", "http://acme.tenant-host.example", "https://acme.tenant-host.example:8443", "https://evil.example/.tenant-host.example", "https://acme.tenant-host.example@evil.example", "//evil.example", "https://127.0.0.1"]) {
    test(`the token does not follow instance_url=${instance_url}`, async () => {
      const { visitor, page } = await begin("acme");
      const result = await call(visitor, callback(page, { instance_url }));
      assert.notEqual(result.next && resultOf(result).result, "success");
      await eachCase(elsewhere, ({ url, headers }) => assert.ok(url.startsWith("https://acme.tenant-host.example/") || headers.authorization === undefined, url));
      assert.deepEqual(elsewhere.filter(({ url }) => !isTenantHost(url)), []);
    });
  }
});
