// A customer connects an account, with a browser that has no JavaScript; the provider is a real one.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { COMPANY, accountOf, callThings, connect, connectedAccount, eventNamesOf, fillIn, installOauth, leaves, linkToken, oauthEnvironment, resultOf, startOauth, toProvider } from "./oauth-accounts.mjs";
import { CLIENTS } from "./provider.mjs";
import { assertError, ok, untilTrue } from "./steps.mjs";
import { Visitor } from "./visitor.mjs";

let provider, gateway, environment, installed, stop;
before(async () => ({ provider, gateway, environment, installed, stop } = await startOauth()));
after(() => stop?.());
beforeEach(() => {
  provider.received.length = 0;
  provider.answerNextTokenRequests();
});

const accounts = async () => ok(await environment.call("GET", "/integrated-account"), 200).result;
const link = (more) => linkToken(environment, { integration: "rotating-oauth", redirect_uri: COMPANY, ...more });

describe("link tokens", () => {
  test("are shown once, last seven days, are listed without the token, and rest as a hash", async () => {
    const { id, link_token, url, expires_at } = await link();
    assert.equal(url, `${gateway.url.origin}/connect/rotating-oauth?link_token=${encodeURIComponent(link_token)}`);
    assert.match(link_token, /^lt_[0-9a-f-]+_/);
    assert.ok(Math.abs(Date.parse(expires_at) - Date.now() - 86_400_000) < 60_000);
    const listed = await environment.call("GET", "/link-token");
    assert.ok(ok(listed, 200).result.some((each) => each.id === id));
    assert.ok(!JSON.stringify(listed.body).includes(link_token));
    assert.deepEqual(await gateway.filesHolding(link_token), []);
  });

  test("a revoked one opens nothing", async () => {
    const { id, url } = await link();
    assert.deepEqual(ok(await environment.call("DELETE", `/link-token/${id}`), 200), { id });
    const page = await new Visitor().open(url);
    assert.ok(page.status >= 400 && page.status < 500, `${page.status}`);
    assert.equal(page.form, undefined);
  });

  test("without an integration the customer chooses one", async () => {
    const visitor = new Visitor();
    const chosen = await link({ integration: undefined });
    const page = await visitor.open(chosen.url);
    assert.equal(page.status, 200);
    assert.match(page.text, /Rotating OAuth, an invented API/);
    const chosenPage = page.links.find((each) => new URL(each).pathname === "/connect/rotating-oauth");
    const form = await visitor.open(chosenPage, { from: page.url });
    const sent = await visitor.submit(form, { beacon: "south" }, { until: leaves(chosen) });
    assert.ok(sent.next.startsWith(`${provider.url}/auth?`), sent.text);
  });
});

describe("the page", () => {
  test("names the integration and asks for its fields", async () => {
    const { status, text, form, headers } = await new Visitor().open((await link()).url);
    assert.equal(status, 200);
    assert.match(headers.get("content-type"), /^text\/html/);
    assert.match(text, /Rotating OAuth, an invented API/);
    assert.match(text, /The short name of your beacon/);
    assert.equal(form.method, "POST");
    const beacon = form.fields.find(({ name }) => name === "beacon");
    assert.equal(beacon.type, "text");
    assert.equal(beacon.placeholder, "north-pier");
    assert.ok("required" in beacon);
  });

  test("is neither cached nor framed, leaks no address and runs no foreign script", async () => {
    const { headers } = await new Visitor().open((await link()).url);
    const policy = headers.get("content-security-policy");
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.match(policy, /base-uri 'none'/);
    assert.doesNotMatch(policy, /script-src[^;]*'unsafe-(inline|eval)'/);
    assert.equal(headers.get("referrer-policy"), "no-referrer");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.match(headers.get("cache-control"), /no-store/);
  });

  test("preview bots, reloads and form errors burn nothing", async () => {
    const made = await link();
    await eachCase(["a bot", "another bot", "a reload"], async (_) => assert.equal((await new Visitor().open(made.url)).status, 200));
    const visitor = new Visitor();
    const wrong = await fillIn(made, { visitor, values: { beacon: "no spaces, please" } });
    assert.equal(wrong.next, null);
    assert.ok([200, 400, 422].includes(wrong.status));
    assert.equal(wrong.form.defaults.beacon, "no spaces, please", "the input is kept");
    const field = wrong.form.fields.find(({ name }) => name === "beacon");
    assert.equal(field["aria-invalid"], "true");
    assert.ok(field["aria-describedby"], "the error is next to the field");
    assert.ok((await visitor.submit(wrong, { beacon: "better" }, { until: leaves(made) })).next);
  });
});

describe("oauth2", () => {
  test("the customer reaches the provider with all that it needs", async () => {
    const url = new URL(await toProvider(await link()));
    const query = Object.fromEntries(url.searchParams);
    assert.equal(url.origin + url.pathname, `${provider.url}/auth`);
    assert.equal(query.client_id, CLIENTS.basic.client_id);
    assert.equal(query.response_type, "code");
    assert.equal(query.redirect_uri, `${gateway.url.origin}/connect/rotating-oauth/callback`);
    assert.equal(query.scope, "offline_access things profile");
    assert.equal(query.prompt, "consent");
    assert.equal(query.code_challenge_method, "S256");
    assert.match(query.code_challenge, /^[\w-]{43}$/);
    assert.ok(query.state.length >= 32);
  });

  test("a cookie of this browser alone goes with the state, and one with the link", async () => {
    const visitor = new Visitor();
    await toProvider(await link(), { visitor });
    const named = visitor.cookies.filter(({ name }) => /^causeway-[0-9a-f]{8}$/.test(name)); // on plain http without __Host-
    assert.equal(named.length, 2, JSON.stringify(visitor.cookies));
    await eachCase(visitor.cookies, ({ httpOnly, path, sameSite }) => assert.deepEqual([httpOnly, path, sameSite], [true, "/", "lax"]));
  });

  test("connected: one exchange, the account active, the context filled, back at the company, a call goes through", async () => {
    const page = await connect(environment, provider, { link: await link({ context: { plan: "gold" } }), login: "ada" });
    assert.equal(page.status, 303);
    const result = resultOf(page);
    assert.ok(page.next.startsWith("https://company.example/done?"));
    assert.deepEqual({ ...result, integrated_account_id: "…" }, { tab: "1", result: "success", integration: "rotating-oauth", integrated_account_id: "…" });

    const account = await accountOf(environment, page);
    assert.equal(account.status, "active");
    assert.equal(account.tenant_id, "tenant-1");
    assert.equal(account.authentication_method, "oauth2");
    assert.equal(account.environment_integration_id, installed.id);
    const { beacon, label, plan, granted } = account.context;
    assert.deepEqual({ beacon, label, plan, granted }, { beacon: "north-pier", label: "Beacon north-pier", plan: "gold", granted: "offline_access things profile" });
    assert.equal(account.last_action_run_result === null, false);
    assert.deepEqual(await eventNamesOf(gateway, account), ["created", "active"]);

    assert.equal(ok(await callThings(environment, account), 200).name, "lamp");
    assert.equal(ok(await callThings(environment, account, "/custom/me"), 200).login, "ada");
    assert.equal(provider.counts().exchanges, 1);
    assert.equal(provider.counts().tokenRequests, 1);
  });

  test("no token is shown, logged or stored in the open", async () => {
    const account = await connectedAccount(environment, provider);
    const { access_token, refresh_token } = provider.received.find(({ answer }) => answer).answer;
    const shown = JSON.stringify([account, gateway.logs]);
    await eachCase([access_token, refresh_token, CLIENTS.basic.client_secret], async (secret) => {
      assert.ok(!shown.includes(secret));
      assert.deepEqual(await gateway.filesHolding(secret), []);
    });
  });

  test("the link is spent then", async () => {
    const made = await link();
    await connect(environment, provider, { link: made });
    const again = await new Visitor().open(made.url);
    assert.ok(again.status >= 400 && again.status < 500);
    assert.equal(again.form, undefined);
    assert.equal(ok(await environment.call("GET", "/link-token"), 200).result.find(({ id }) => id === made.id).is_spent, true);
  });

  test("without a redirect_uri a page says that it worked", async () => {
    const page = await connect(environment, provider);
    assert.equal(page.status, 200);
    assert.match(page.text, /Rotating OAuth/);
    assert.equal(page.form, undefined);
  });

  test("display=popup: the result goes to the opener, at the company's origin only", async () => {
    const { status, html, headers } = await connect(environment, provider, { redirect_uri: COMPANY, query: "&display=popup" });
    assert.equal(status, 200);
    assert.match(html, /postMessage/);
    assert.ok(html.includes("https://company.example"));
    assert.ok(!html.includes("company.example/done"), "an origin, not an address");
    assert.doesNotMatch(html, /["']\*["']/);
    assert.match(headers.get("content-security-policy"), /script-src 'nonce-/);
  });

  test("a refusal is shown plainly and stores nothing, and the same link works afterwards", async () => {
    const options = { link: await link(), visitor: new Visitor() };
    const before = await accounts();
    const refused = resultOf(await connect(environment, provider, { ...options, deny: true }));
    assert.equal(refused.result, "error");
    assert.equal(refused.error_type, "access_denied");
    assert.match(refused.error, /The keeper said no/);
    assert.equal(provider.counts().tokenRequests, 0);
    assert.deepEqual(await accounts(), before);
    assert.equal(resultOf(await connect(environment, provider, options)).result, "success");
  });

  test("a provider that does not answer the exchange is a connection_error", async () => {
    const before = await accounts();
    provider.answerNextTokenRequests(...Array(10).fill("unavailable"));
    assert.equal(resultOf(await connect(environment, provider, { redirect_uri: COMPANY })).error_type, "connection_error");
    assert.deepEqual(await accounts(), before);
  });

  for (const variant of ["rotating-oauth-post", "rotating-oauth-form-post", "rotating-oauth-introspected"]) {
    test(variant, async () => {
      await installOauth(gateway, environment, provider, variant);
      const account = await connectedAccount(environment, provider, { integration: variant });
      assert.equal(account.status, "active");
      assert.equal(ok(await callThings(environment, account), 200).name, "lamp");
    });
  }

  test("introspection, once, says when a token ends if the answer does not", async () => {
    await installOauth(gateway, environment, provider, "rotating-oauth-introspected");
    Object.assign(provider.settings, { accessTokenTtl: 5, hides: ["expires_in"] });
    try {
      const account = await connectedAccount(environment, provider, { integration: "rotating-oauth-introspected" });
      assert.ok(provider.counts().introspections >= 1);
      await untilTrue(() => provider.counts().refreshes >= 1); // ahead of its end, since that is known
      ok(await callThings(environment, account), 200);
      const { exchanges, refreshes, introspections } = provider.counts();
      assert.ok(introspections <= exchanges + refreshes, `${introspections} introspections of ${exchanges + refreshes} tokens`);
    } finally {
      Object.assign(provider.settings, { accessTokenTtl: 3_600, hides: [] });
    }
  });

  test("with form_post the cookie comes back from the other site", async () => {
    await installOauth(gateway, environment, provider, "rotating-oauth-form-post");
    const visitor = new Visitor();
    await toProvider(await link({ integration: "rotating-oauth-form-post" }), { visitor });
    assert.ok(visitor.cookies.some(({ sameSite, secure }) => sameSite === "none" && secure), JSON.stringify(visitor.cookies));
  });
});

describe("client credentials", () => {
  const { client_id, client_secret } = CLIENTS.machine;
  const machine = (values, more) => linkToken(environment, { integration: "rotating-oauth-machine", redirect_uri: COMPANY, ...more }).then((made) => fillIn(made, { values }));
  before(() => installOauth(gateway, environment, provider, "rotating-oauth-machine"));

  test("connected by the form alone", async () => {
    const account = await accountOf(environment, await machine({ beacon: "north", client_id, client_secret }));
    assert.equal(account.status, "active");
    assert.equal(account.authentication_method, "oauth2_client_credentials");
    assert.equal(account.context.client_secret, undefined);
    assert.equal(provider.counts().clientCredentials, 1);
    ok(await callThings(environment, account), 200);
  });

  test("a wrong secret is reported on the page or to the company, and never comes back in HTML", async () => {
    const before = await accounts();
    const page = await machine({ beacon: "north", client_id, client_secret: "not-the-secret-at-all" });
    assert.ok(!page.html.includes("not-the-secret-at-all"));
    if (page.next) assert.equal(resultOf(page).error_type, "connection_error");
    else assert.ok(page.form, page.text);
    assert.deepEqual(await accounts(), before);
  });

  test("of several credentials the customer chooses one", async () => {
    await installOauth(gateway, environment, provider, "rotating-oauth-choice");
    const made = await linkToken(environment, { integration: "rotating-oauth-choice", redirect_uri: COMPANY });
    const visitor = new Visitor();
    const page = await visitor.open(made.url);
    assert.equal(page.status, 200);
    assert.match(page.html, /oauth2_client_credentials/);
    const chosen = await choose(visitor, page, "oauth2_client_credentials");
    const sent = await visitor.submit(chosen, { beacon: "north", client_id, client_secret }, { until: leaves(made) });
    assert.equal((await accountOf(environment, sent)).authentication_method, "oauth2_client_credentials");
  });

  // By a link, a separate form or a choice in the form: as the page offers it.
  async function choose(visitor, page, credential) {
    const link = page.links.find((each) => each.includes(credential));
    if (link) return visitor.open(link, { from: page.url });
    const names = ({ value, content }) => value === credential || content?.includes(`"${credential}"`);
    const form = page.forms.find(({ fields }) => fields.some(names));
    assert.ok(form, `no way to choose ${credential}: ${page.html}`);
    const { name } = form.fields.find(names);
    if (form.fields.some((field) => field.name === "client_secret")) return { ...page, form: { ...form, defaults: { ...form.defaults, [name]: credential } } };
    return visitor.submit(page, { [name]: credential }, { form });
  }
});

describe("actions", () => {
  for (const [variant, status] of [["rotating-oauth-uninstalled", "post_install_error"], ["rotating-oauth-invalid", "validation_error"]]) {
    test(`${status}: reported to the company, the account kept, not callable`, async () => {
      await installOauth(gateway, environment, provider, variant);
      const result = resultOf(await connect(environment, provider, { integration: variant, redirect_uri: COMPANY }));
      assert.equal(result.error_type, status);
      const account = (await accounts()).find(({ integration }) => integration.name === variant);
      assert.equal(account.status, status);
      assert.deepEqual(await eventNamesOf(gateway, account), ["created", status]);
      assertError(await callThings(environment, account), 409, "account.not_ready");
    });
  }
});

describe("again", () => {
  test("re-authorisation keeps the id and the context, and makes a dead account live", async () => {
    const account = await connectedAccount(environment, provider, { login: "bob", context: { plan: "gold" } });
    await provider.revokeAll();
    assertError(await callThings(environment, account), 401, "account.needs_reauth");

    const again = await connectedAccount(environment, provider, { integrated_account_id: account.id, login: "bob" });
    assert.equal(again.id, account.id);
    assert.equal(again.status, "active");
    assert.equal(again.last_error, null);
    assert.equal(again.context.plan, "gold");
    ok(await callThings(environment, again), 200);
    const events = await eventNamesOf(gateway, account);
    assert.deepEqual(events.slice(0, 3), ["created", "active", "authentication_error"]);
    assert.ok(events.slice(3).includes("reactivated"), events.join());
  });

  test("persist_previous_context: false starts with an empty one", async () => {
    const account = await connectedAccount(environment, provider, { context: { plan: "gold" } });
    const again = await connectedAccount(environment, provider, { integrated_account_id: account.id, persist_previous_context: false });
    assert.equal(again.id, account.id);
    assert.equal(again.context.plan, undefined);
  });

  test("refresh-credentials refreshes", async () => {
    const { id } = await connectedAccount(environment, provider);
    assert.deepEqual(ok(await environment.call("POST", "/integrated-account/refresh-credentials", { id }), 200), { success: true });
    assert.equal(provider.counts().refreshes, 1);
  });

  test("a deleted account's grant is revoked at the provider", async () => {
    const account = await connectedAccount(environment, provider);
    const { access_token } = provider.received.find(({ answer }) => answer).answer;
    ok(await environment.call("DELETE", `/integrated-account/${account.id}`), 200);
    await untilTrue(() => provider.counts().revocations > 0);
    const { status } = await fetch(`${provider.url}/api/me`, { headers: { authorization: `Bearer ${access_token}` } });
    assert.equal(status, 401);
  });
});

describe("SIGKILL", () => {
  // One address before and after: the port of a restarted gateway is new, so links and callbacks are brought to it.
  const PUBLIC_URL = "http://127.0.0.1:8787";
  let killed, company;
  before(async () => {
    killed = await start({ internet: "real", vars: { PUBLIC_URL } });
    ({ environment: company } = await oauthEnvironment(killed, provider));
  });
  after(() => killed?.stop());

  const here = (url) => url.replace(PUBLIC_URL, killed.url.origin);
  const newLink = () => linkToken(company, { integration: "rotating-oauth", redirect_uri: COMPANY });
  const begin = async (made, visitor) => here(await provider.authorise(await toProvider({ url: here(made.url) }, { visitor }), { visitor }));
  const finish = (callback, visitor) => visitor.open(callback, { from: provider.url, until: (next) => next.startsWith("https://company.example") });

  test("between the form and the callback: the callback still works", async () => {
    const visitor = new Visitor();
    const callback = await begin(await newLink(), visitor);
    const { origin } = killed.url;
    await killed.restart();
    const account = await accountOf(company, await finish(callback.replace(origin, killed.url.origin), visitor));
    ok(await callThings(company, account), 200);
  });

  for (const [when, fault, event] of [["before", "silent", "arrived"], ["after", { granted: 60_000 }, "granted"]]) {
    test(`in the exchange, ${when} the provider's grant: no account or a whole one, and the link works again`, async () => {
      const before = ok(await company.call("GET", "/integrated-account"), 200).result;
      const [made, visitor] = [await newLink(), new Visitor()];
      const callback = await begin(made, visitor);
      provider.answerNextTokenRequests(fault);
      const reached = provider.next(event);
      const lost = finish(callback, visitor).catch((error) => error);
      await reached;
      await killed.restart();
      assert.ok((await lost) instanceof Error);
      assert.deepEqual(ok(await company.call("GET", "/integrated-account"), 200).result, before);

      const account = await accountOf(company, await finish(await begin(made, visitor), visitor));
      ok(await callThings(company, account), 200);
    });
  }

  test("after the result: the account is there, and works", async () => {
    const visitor = new Visitor();
    const page = await finish(await begin(await newLink(), visitor), visitor);
    await killed.restart();
    const account = await accountOf(company, page);
    assert.equal(account.status, "active");
    ok(await callThings(company, account), 200);
  });
});
