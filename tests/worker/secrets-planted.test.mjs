// A different secret in every place that can hold one, flows that use all of them, and then a search: not one may be in an answer, a
// header, the console, KV, SQLite or a delivery, as it is or encoded, but for the answer that shows it once and the provider it is for.
// The harness searches answers, console and storage (canaries.mjs) while this goes on; `planted-provider.mjs` searches deliveries.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertNothingFound, forget, forms, look, lookInStorage, plant, search, unplant } from "./canaries.mjs";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { eventually, importAccount, newEnvironment, ok } from "./steps.mjs";
import { COMPANY, ITS_OWN, Outside, contextOfSecrets, secret, signedRequest, snapshot, plantedFile } from "./planted-provider.mjs";
import { Visitor } from "./visitor.mjs";
import { accountUrl, send } from "./webhooks.mjs";

let gateway;
const outside = new Outside();
before(async () => {
  gateway = await start({ internet: outside.answer });
});
after(() => gateway?.stop());

describe("the search itself", () => {
  const text = `what/is+searched for "ü" ${"x".repeat(8)}`;
  const whole = (bytes) => Buffer.concat([Buffer.from("before "), bytes, Buffer.from(" behind")]);

  test("finds a text in every form", async () => {
    plant("searched", text, { not: ["delivered"] });
    await eachCase(Object.entries(forms(text)), ([form, bytes]) => {
      look("delivered", whole(bytes), form);
      assert.ok(forget().some(({ name }) => name === "searched"), form);
    });
    await eachCase(["", "x", "xy"], (ahead) => {
      const credentials = Buffer.from(`${ahead}${text}:behind`).toString("base64");
      look("delivered", Buffer.from(`Basic ${credentials}`), "basic");
      assert.equal(forget().length, 1, `${ahead.length} bytes ahead`);
    });
    look("delivered", Buffer.from("nothing of it"), "nothing");
    assert.deepEqual(search(), []);
    unplant("searched");
  });

  test("finds what a gateway answers, in a header and in a body; what it logs, and what it stores", async () => {
    const { call } = await newEnvironment(gateway, "search");
    const [name, place] = ["a-name-that-is-searched", "a-place-that-is-searched"];
    const { id } = ok(await call("POST", "/link-token", { tenant_id: name, context: { place } }), 201);
    plant("name", name, { not: ["answered", "stored"] });
    ok(await call("GET", "/link-token"), 200);
    assert.deepEqual(forget().map(({ place }) => place), ["answered"]);
    await lookInStorage(gateway.folder);
    assert.ok(forget().every(({ place, name }) => place === "stored" && name === "name"));
    unplant("name");
    ok(await call("DELETE", `/link-token/${id}`), 200);
  });
});

test("no planted secret is found, but where it is shown once or meant for the provider", async () => {
  forget();
  const file = plantedFile("planted", { signing: secret("literal webhook secret of the file") });
  ok(await gateway.admin("PUT", "/integration/planted", file), 201);
  ok(await gateway.admin("PUT", "/integration/planted-by-account", plantedFile("planted-by-account")), 201);
  const environment = await newEnvironment(gateway, "planted");
  const { call } = environment;
  const override = {
    secret_environment_variables: { app_key: secret("secret variable"), webhook_secret: secret("webhook secret of the install") },
    credentials: { oauth2: { config: { client: { id: "another-client", secret: secret("client secret of the install") } } } },
  };
  const installed = ok(await call("POST", "/environment-integration", { integration_name: "planted-by-account", override }), 201);
  ok(await call("POST", "/environment-integration", { integration_name: "planted" }), 201);

  const subscription = ok(await call("POST", "/webhook", { target_url: COMPANY }), 201);
  plant("signing secret of the subscription", subscription.secret);
  plant("its bytes", Buffer.from(subscription.secret.slice("whsec_".length), "base64").toString("latin1"), { not: ["stored"] });
  const context = contextOfSecrets("the import");
  const account = await importAccount(environment, installed, context);
  const signing = contextOfSecrets("the import that signs");
  const bySteps = await importAccount(environment, installed, contextOfSecrets("the import with steps"), { authentication_method: "custom_token" });
  const bySigning = await importAccount(environment, installed, signing, { authentication_method: "jwt" });
  const accounts = [account, await byForm(environment), await bySignIn(environment), bySteps, bySigning];
  for (const { id } of accounts) await used(environment, { id });
  const rotated = ok(await call("POST", `/webhook/${subscription.id}/rotate-secret`, {}), 200);
  plant("new signing secret of the subscription", rotated.secret);
  await received(environment, account, context.webhook_secret);
  await handedOver(environment, installed);
  await eventually(() => assert.ok(outside.sent.filter(({ url }) => url === COMPANY).length >= 4, "deliveries"));
  ok(await call("POST", "/webhook/test", { id: subscription.id }), 200);

  await everythingRead(environment, accounts);
  await gateway.restart({ vars: { SEALING_KEYS: `new:${Buffer.alloc(32, "another-key-of-the-operator").toString("base64")},${gateway.vars.SEALING_KEYS}` }, late: true });
  ok(await gateway.admin("POST", "/sealing/rotate", {}), 200);
  await eventually(async () => assert.equal(ok(await gateway.admin("GET", "/sealing"), 200).is_rotating, false));
  await everythingRead(environment, accounts);
  await lookInStorage(gateway.folder);
  await eachCase(accounts, async ({ id }) => ok(await call("DELETE", `/integrated-account/${id}`), 200));
  await lookInStorage(gateway.folder);
  assertNothingFound();
});

/** A customer types secrets on the hosted page; the link brings others. */
async function byForm({ call }) {
  const { pin, ...typed } = contextOfSecrets("the form");
  const link = ok(await call("POST", "/link-token", { tenant_id: "by-form", integration: "planted", context: { pin } }), 201);
  plant("link token", link.link_token, { not: ["stored", "logged", "sent", "delivered"] });
  const visitor = new Visitor();
  const first = await visitor.open(link.url);
  const chosen = first.links.find((each) => each.includes("credential=api_key")) ?? assert.fail(first.html);
  const page = await visitor.open(chosen, { from: first.url });
  const values = Object.fromEntries(Object.entries({ ...typed, pin }).filter(([, value]) => typeof value === "string"));
  const done = await visitor.submit(page, values);
  assert.equal(done.status, 200, done.text);
  return accountOf(call, "by-form");
}

/** A customer signs in; the login that waits in between is kept as it lies in storage. */
async function bySignIn({ call }) {
  const link = ok(await call("POST", "/link-token", { tenant_id: "by-sign-in", integration: "planted" }), 201);
  plant("link token", link.link_token, { not: ["stored", "logged", "sent", "delivered"] });
  const visitor = new Visitor();
  const page = await visitor.open(link.url);
  const away = await visitor.submit(page, {}, { until: (next) => next.startsWith("https://login.planted.example") });
  const state = plant("state of the login", new URL(away.next).searchParams.get("state"), { not: ["stored", "logged", "delivered"] });
  for (const { value } of visitor.cookies) plant("cookie of the login", value, { not: ["stored", "logged", "sent", "delivered"] });
  const waiting = await snapshot(gateway);
  const code = secret("authorization code");
  const callback = new URL("/connect/planted/callback", gateway.url);
  callback.search = new URLSearchParams({ code, state });
  const done = await visitor.open(callback.href, { from: "https://login.planted.example" });
  assert.equal(done.status, 200, done.text);
  const exchange = outside.last(({ url }) => url.endsWith("/token"));
  plant("PKCE verifier", new URLSearchParams(exchange.body).get("code_verifier"), { not: ["stored", "logged", "answered", "delivered"] });
  waiting();
  return accountOf(call, "by-sign-in");
}

async function accountOf(call, tenant) {
  const { result } = ok(await call("GET", `/integrated-account?tenant_id=${tenant}`), 200);
  assert.equal(result.length, 1, tenant);
  return result[0];
}

/** Calls of an account, by an API token and by its account token: a keyed write, a list, an action, a path of the provider, a refresh. */
async function used({ call }, { id }) {
  const query = `integrated_account_id=${id}`;
  const kept = secret("a document of the provider", ITS_OWN);
  outside.answers["/orders"] = ({ method }) => (method === "POST" ? Response.json({ kept }) : Response.json([{ id: 1 }]));
  const key = { "idempotency-key": `key of ${id}` };
  const sent = { note: secret("the body of a keyed write", ITS_OWN) };
  for (let again = 0; again < 2; again++) ok(await call("POST", `/proxy/orders?${query}`, sent, key), 200);
  ok(await call("GET", `/proxy/orders?${query}`), 200);
  ok(await call("GET", `/custom/any?${query}`), 200);
  const made = ok(await call("POST", "/integrated-account/token", { integrated_account_id: id }), 201);
  const own = gateway.as(plant("account token", made.integrated_account_token));
  ok(await own("GET", "/proxy/orders/1"), 200);
  ok(await own("GET", "/integrated-account/me"), 200);
  ok(await own("PATCH", "/integrated-account/me", { context: { place: "elsewhere" } }), 200, 422);
  const { status } = await call("POST", "/integrated-account/refresh-credentials", { id });
  assert.ok([200, 409, 422].includes(status), status);
  const signed = outside.last(({ url }) => url.includes("/orders/1"));
  assert.match(signed.headers.authorization, /^Bearer (api_key|access-token|eyJ)/, "the provider gets the credential");
  plant("a token that the gateway signed", signed.headers.authorization.slice("Bearer ".length), { not: ["stored", "logged", "answered", "delivered"] });
}

/** Webhooks: good ones that repeat secrets, one that cannot be read and is kept as it came. */
async function received({ call }, account, webhook_secret) {
  const post = (event) => send(gateway, accountUrl(account), signedRequest(webhook_secret, event));
  const first = ok(await post({ kind: "order", note: "plain" }), 200);
  const repeats = ok(await post({ kind: "order", note: `your secret is ${webhook_secret}`, list: [webhook_secret] }), 200);
  const detail = ok(await call("GET", `/event/${repeats.id}`), 200);
  assert.match(JSON.stringify(detail.payload), /\[redacted\]/);
  const lost = ok(await post({ kind: 7, note: secret("a request that cannot be read") }), 200);
  assert.equal(ok(await call("GET", `/event/${lost.id}`), 200).status, "failed");
  ok(await call("POST", `/event/${first.id}/replay`, {}), 200);
  ok(await call("POST", `/event/${lost.id}/replay`, {}), 422);
  assert.equal((await send(gateway, accountUrl(account), signedRequest(secret("a wrong signing secret"), { kind: "order" }))).status, 401);
}

/** A provider hands a signing secret over in its handshake. */
async function handedOver(environment, installed) {
  const account = await importAccount(environment, installed, { api_key: secret("key of the handshake") });
  const hand_over = secret("a secret handed over");
  await send(gateway, accountUrl(account), { headers: { "content-type": "application/json" }, body: JSON.stringify({ hand_over }) });
}

/** Everything that can be read, by who may read it. */
async function everythingRead({ id: environment, call }, accounts) {
  const lists = ["/environment", "/integration", `/api-token?environment_id=${environment}`, `/environment-integration?environment_id=${environment}`, `/integrated-account?environment_id=${environment}`];
  const more = [`/link-token?environment_id=${environment}`, `/webhook?environment_id=${environment}`, `/event?environment_id=${environment}`, "/sealing", "/openapi.json", "/health", "/"];
  for (const path of [...lists, ...more]) {
    const { result = [] } = ok(await gateway.admin("GET", path), 200);
    for (const { id } of path === "/sealing" ? [] : result) if (!/api-token|link-token/.test(path)) await gateway.admin("GET", `${path.split("?")[0]}/${id}`);
  }
  await eachCase(accounts, async ({ id }) => {
    await eachCase([`/integrated-account/${id}`, `/integrated-account/${id}/capabilities`, `/log?integrated_account_id=${id}`], async (path) => ok(await call("GET", path), 200));
    const { result } = ok(await call("GET", `/event?integrated_account_id=${id}`), 200);
    await eachCase(result, async (event) => ok(await call("GET", `/event/${event.id}`), 200));
  });
}
