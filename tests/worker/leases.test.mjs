// Leased calls (`edge_calls`) in the real runtime: the front Worker sends them itself, the object is asked only where it must be, and
// nothing of a lease is stored, logged or answered.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { assertNothingFound, lookInStorage, plant } from "./canaries.mjs";
import { eachCase } from "./cases.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";
import { assertError, eventually, importAccount, ok } from "./steps.mjs";

const PATH = "/proxy/things/1";

let scripted;
let edge;
/** The messages to accounts' objects and the calls that they got, since the last look. */
const toObjects = [];
const messages = (name) => toObjects.filter((what) => what === name).length;
const handedOver = () => toObjects.filter((what) => what.includes(" /")).length;

const config = (url) => ({
  credentials: {
    oauth2: { format: "oauth2", config: { client: { id: "our-id", secret: "our-secret" }, auth: { tokenHost: url, authorizePath: "/authorize", tokenPath: "/token" } } },
    api_key: { format: "api_key", config: { fields: [{ name: "api_key", type: "password" }, { name: "place", type: "text" }] } },
  },
  authorization: { format: "bearer", config: { token: "{{oauth.token.access_token|api_key}}" } },
  headers: { "x-place": "{{place:undefined}}" },
  resources: { things: { get: { path: "/things/{{id}}" }, create: { method: "post", path: "/things" } } },
});

before(async () => {
  const between = ({ when, where, what }) => {
    if (when === "before" && where === "Account") toObjects.push(what);
  };
  scripted = await startScriptedProvider({ config, between, elsewhere: true });
  const { installed } = await scripted.install(config(scripted.url));
  edge = ok(await scripted.environment.call("PATCH", `/environment-integration/${installed.id}`, { edge_calls: true }), 200);
});
after(() => scripted?.stop());
afterEach(() => scripted.clear());

const ofKey = (api_key, more) => importAccount(scripted.environment, edge, { api_key, place: "here" }, more);
const newKey = () => plant("an API key", `key-${randomUUID()}`, { not: ["stored", "logged", "answered", "delivered"] });

async function withToken() {
  const token = { access_token: plant("a token", `old-${randomUUID()}`, { not: ["stored", "logged", "answered"] }), refresh_token: "r1", token_type: "Bearer", expires_at: new Date(Date.now() + 3_600_000).toISOString() };
  return { token, ...(await importAccount(scripted.environment, edge, { oauth: { token } }, { authentication_method: "oauth2" })) };
}

const get = (account, headers, more) => scripted.call("GET", PATH, undefined, headers, { account, ...more });

/** The account, once the front Worker has a lease of it. */
async function leased(account) {
  await eventually(async () => {
    toObjects.length = 0;
    ok(await get(account), 200);
    assert.equal(handedOver(), 0, "a call was handed over");
  });
  toObjects.length = 0;
  scripted.requests.length = 0;
  return account;
}

/** Makes calls one after another; how many the object made, and how often a lease was requested. */
async function counted(account, make = get, calls = 4) {
  toObjects.length = 0;
  for (let n = 0; n < calls; n++) {
    await make(account);
    await sleep(100);
  }
  return { handedOver: handedOver(), leases: messages("lease") };
}

const bearer = (key) => scripted.requests.filter(({ headers }) => headers.authorization === `Bearer ${key}`);

describe("a leased account", () => {
  test("is called without its object, and its log lines have the same fields as others", async () => {
    const account = await leased(await ofKey(newKey()));
    assert.deepEqual(await counted(account), { handedOver: 0, leases: 0 });
    const regional = scripted.account;
    ok(await get(regional), 200);
    const lines = async ({ id }, least) => {
      const { result } = ok(await scripted.environment.call("GET", `/log?integrated_account_id=${id}`), 200);
      assert.ok(result.length >= least, `${result.length} lines`);
      return result;
    };
    const [own] = await eventually(() => lines(account, 6));
    const [other] = await lines(regional, 1);
    assert.deepEqual(Object.keys(own), Object.keys(other));
    const { request_id: _, created_at: __, duration_ms: ___, upstream_ms: ____, ...facts } = own;
    const { request_id: _r, created_at: _c, duration_ms: _d, upstream_ms: _u, ...otherFacts } = other;
    assert.deepEqual(facts, otherFacts);
  });

  test("gets the same answers as others, from its object and from the edge", async () => {
    const text = JSON.stringify({ text: "x".repeat(300_000) });
    const answers = [
      { headers: { "content-encoding": "gzip" }, body: gzipSync(text) },
      { status: 204 },
      { status: 418, body: { error: "a teapot" } },
      { headers: { "content-type": "text/plain", etag: '"1"' }, body: text },
      { status: 302, headers: { location: "/things/2" } },
    ];
    const wanted = ({ status, headers, text }) => ({ status, text: text.replace(headers.get("x-request-id"), ""), headers: [...headers].filter(([name]) => !["x-request-id", "date"].includes(name)) });
    await eachCase(answers, async (answer) => {
      scripted.answers.set("/things/1", () => answer);
      const account = await ofKey(newKey());
      const headers = { "accept-encoding": "gzip", "x-max-retries": "0" };
      const regional = wanted(await get(scripted.account, headers));
      toObjects.length = 0;
      assert.deepEqual(wanted(await get(account, headers)), regional, "from the object");
      await eventually(async () => {
        toObjects.length = 0;
        assert.deepEqual(wanted(await get(account, headers)), regional, "from the edge");
        assert.equal(handedOver(), 0);
      });
    });
  });

  test("many first calls make one request for a lease", async () => {
    const account = await ofKey(newKey());
    toObjects.length = 0;
    const answers = await Promise.all(Array.from({ length: 30 }, () => get(account)));
    assert.ok(answers.every(({ status }) => status === 200));
    await sleep(500);
    assert.equal(messages("lease"), 1);
    assert.deepEqual(await counted(account), { handedOver: 0, leases: 0 });
  });

  test("is one that may be leased", async () => {
    const eu = await ofKey(newKey(), { region: "eu" });
    const sandbox = await ofKey(newKey(), { is_sandbox: true });
    await eachCase([scripted.account, eu, sandbox], async (account) => {
      assert.deepEqual(await counted(account), { handedOver: 4, leases: 0 });
    });
  });

  test("has a new context and new credentials at once, where they were changed", async () => {
    const [key, other] = [newKey(), newKey()];
    const account = await leased(await ofKey(key));
    ok(await scripted.environment.call("PATCH", `/integrated-account/${account.id}`, { context: { place: "there" } }), 200);
    ok(await get(account), 200);
    assert.equal(bearer(key).at(-1).headers["x-place"], "there");
    await leased(account);
    ok(await scripted.environment.call("PATCH", `/integrated-account/${account.id}/credentials`, { context: { api_key: other } }), 200);
    ok(await get(account), 200);
    assert.deepEqual([bearer(key).length, bearer(other).length], [0, 1]);
  });

  test("is called by an account token, once its object has seen the token", async () => {
    const account = await leased(await ofKey(newKey()));
    const made = ok(await scripted.environment.call("POST", "/integrated-account/token", { integrated_account_id: account.id }), 201);
    const own = scripted.gateway.as(made.integrated_account_token);
    const call = async () => ok(await own("GET", PATH), 200);
    assert.equal((await counted(account, call, 1)).handedOver, 1);
    // A lease is requested once in 5 seconds.
    await eventually(async () => assert.equal((await counted(account, call, 1)).handedOver, 0));
    const stranger = await ofKey(newKey());
    await eachCase([1, 2, 3], async () => assertError(await own("GET", `${PATH}?integrated_account_id=${stranger.id}`), 404, "caller.not_found"));
  });
});

describe("calls that go to the object", () => {
  test("have a key, or ask for all pages", async () => {
    const account = await leased(await ofKey(newKey()));
    const keyed = () => scripted.call("POST", "/proxy/things", { a: 1 }, { "idempotency-key": randomUUID() }, { account });
    assert.equal((await counted(account, keyed)).handedOver, 4);
    const all = (account) => get(account, { "x-all-pages": "true" });
    assert.equal((await counted(account, all)).handedOver, 4);
    assert.equal((await counted(account)).handedOver, 0);
  });

  test("follow an answer that limits the account", async () => {
    const answers = [
      { status: 429, headers: { "retry-after": "3600" } },
      { headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "3600" } },
    ];
    await eachCase(answers, async (answer) => {
      const key = newKey();
      const account = await leased(await ofKey(key));
      scripted.answers.set("/things/1", () => answer);
      await get(account);
      // The object gets the pause after the answer.
      await sleep(500);
      assert.deepEqual(await counted(account), { handedOver: 4, leases: 0 });
      assert.equal(bearer(key).length, 1);
      scripted.answers.clear();
    });
  });

  test("follow a refused key", async () => {
    const account = await leased(await ofKey(newKey()));
    scripted.answers.set("/things/1", (_, n) => (n === 1 ? { status: 401 } : { body: {} }));
    assert.equal((await get(account)).status, 401);
    assert.equal((await counted(account, get, 1)).handedOver, 1);
  });

  test("are all, with ACCOUNT_RATE", async () => {
    const limited = await startScriptedProvider({ config, vars: { ACCOUNT_RATE: "100" }, between: ({ when, what }) => when === "before" && toObjects.push(what) });
    try {
      ok(await limited.environment.call("PATCH", `/environment-integration/${limited.installed.id}`, { edge_calls: true }), 200);
      const call = async () => ok(await limited.call("GET", PATH), 200);
      assert.deepEqual(await counted(undefined, call), { handedOver: 4, leases: 0 });
    } finally {
      await limited.stop();
    }
  });
});

test("20 leased calls with a refused token make one refresh", async () => {
  const { token, ...account } = await withToken();
  await leased(account);
  const fresh = plant("a new token", `new-${randomUUID()}`, { not: ["stored", "logged", "answered"] });
  scripted.answers.set("/token", () => ({ body: { access_token: fresh, refresh_token: "r2", expires_in: 3_600 }, delayMs: 300 }));
  scripted.answers.set("/things/1", ({ headers }) => (headers.authorization === `Bearer ${fresh}` ? { body: {} } : { status: 401 }));
  const answers = await Promise.all(Array.from({ length: 20 }, () => get(account)));
  assert.ok(answers.every(({ status }) => status === 200), answers.map(({ status }) => status).join());
  assert.equal(scripted.at("/token").length, 1);
  ok(await get(account), 200);
  assert.equal(bearer(fresh).length, 21);
  assert.ok(bearer(token.access_token).length <= 20);
});

test("an evicted object stores the lines of leased calls, and refreshes their token", async () => {
  const { token, ...account } = await withToken();
  await leased(account);
  await scripted.gateway.evict("Account");
  scripted.answers.set("/token", () => ({ body: { access_token: "fresh-1", refresh_token: "r2", expires_in: 3_600 } }));
  scripted.answers.set("/things/1", ({ headers }) => (headers.authorization === "Bearer fresh-1" ? { body: {} } : { status: 401 }));
  const { headers } = ok(await get(account), 200) && (await get(account));
  assert.deepEqual([scripted.at("/token").length, bearer(token.access_token).length], [1, 1]);
  await eventually(async () => {
    const { result } = ok(await scripted.environment.call("GET", `/log?integrated_account_id=${account.id}`), 200);
    assert.ok(result.some(({ request_id }) => request_id === headers.get("x-request-id")));
  });
});

test("what another isolate deletes, changes or finds refused is used for 30 s at most", async () => {
  const [deleted, changed, next] = [newKey(), newKey(), newKey()];
  const { token, ...refused } = await withToken();
  const accounts = [await ofKey(deleted), await ofKey(changed), refused];
  for (const account of accounts) await leased(account);
  scripted.answers.set("/token", () => ({ status: 400, body: { error: "invalid_grant" } }));
  const elsewhere = (...request) => scripted.gateway.elsewhere(scripted.environment.token, ...request);
  ok(await elsewhere("DELETE", `/integrated-account/${accounts[0].id}`), 200);
  ok(await elsewhere("PATCH", `/integrated-account/${accounts[1].id}/credentials`, { context: { api_key: next } }), 200);
  assertError(await elsewhere("POST", "/integrated-account/refresh-credentials", { id: refused.id }), 401, "account.needs_reauth");
  const at = Date.now();
  const statuses = accounts.map(() => []);
  while (Date.now() < at + 33_000) {
    const all = await Promise.all(accounts.map((account) => get(account)));
    all.forEach(({ status }, n) => statuses[n].push(status));
    await sleep(100);
  }
  for (const key of [deleted, changed, token.access_token]) {
    const times = bearer(key).map((request) => request.at - at);
    assert.ok(times.some((time) => time > 0), "the lease was used after the change");
    assert.deepEqual(times.filter((time) => time >= 30_000), []);
  }
  assert.deepEqual(statuses.map((each) => each.at(-1)), [404, 200, 401]);
  assert.ok(bearer(next).length > 0);
});

test("a caller and a provider cannot speak for the gateway's own parts", async () => {
  const forged = { "x-causeway-ask": "1", "x-causeway-lease": "1", "x-causeway-hand-over": Buffer.from("{}").toString("base64"), "x-forward-x-causeway-ask": "1" };
  scripted.answers.set("/things/1", () => ({ headers: { "x-causeway-lease": "1" }, body: {} }));
  const ofEdge = await ofKey(newKey());
  await eachCase([scripted.account, ofEdge, ofEdge], async (account) => {
    const { status, headers } = await get(account, forged);
    assert.equal(status, 200);
    assert.deepEqual([...headers.keys()].filter((name) => name.startsWith("x-causeway")), []);
    await sleep(300);
  });
  assert.ok(scripted.requests.every(({ headers }) => !Object.keys(headers).some((name) => name.startsWith("x-causeway"))));
  assert.deepEqual(await counted(scripted.account, (account) => get(account, forged)), { handedOver: 4, leases: 0 });
  // A message cannot be sent in: the forged field does not reach the object, and the call is one.
  const message = JSON.stringify({ lease: ["all", "calls"] });
  const answer = await scripted.call("POST", "/proxy/things", message, forged, { account: ofEdge });
  assert.deepEqual([answer.status, answer.body], [200, {}]);
});

test("the secrets of leased accounts are in no store, no log and no answer", async () => {
  const [key, hidden] = [newKey(), plant("a secret variable", `variable-${randomUUID()}`, { not: ["stored", "logged", "answered"] })];
  const override = { secret_environment_variables: { hidden } };
  ok(await scripted.environment.call("PATCH", `/environment-integration/${edge.id}`, { override }), 200);
  const account = await leased(await ofKey(key));
  const { token: _, ...refreshed } = await leased(await withToken());
  const echo = ({ headers }) => ({ status: 400, body: { message: `the key ${headers.authorization} is wrong` } });
  for (const [answer, status] of [[echo, 400], [() => "dropped", 502], [({ headers }) => ({ status: 500, body: headers.authorization }), 500]]) {
    scripted.answers.set("/things/1", answer);
    const { status: own } = await get(account, { "x-max-retries": "0" });
    assert.equal(own, status);
    await get(refreshed, { "x-max-retries": "0" });
  }
  for (const { id } of [account, refreshed]) {
    await eventually(async () => {
      const { result } = ok(await scripted.environment.call("GET", `/log?integrated_account_id=${id}`), 200);
      assert.ok(result.filter(({ status }) => status >= 400).length >= 3);
    });
    ok(await scripted.environment.call("GET", `/integrated-account/${id}`), 200);
  }
  await lookInStorage(scripted.gateway.folder);
  assertNothingFound();
});
