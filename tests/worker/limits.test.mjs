// The limits of docs/operations.md that a caller can reach: just under works, just over is refused, and says so. Not here:
// what needs days (retention, tokens of a week), calls that wait for a connection (hanging.test.mjs), retries and rates
// (retries.test.mjs), Idempotency-Key (idempotency.test.mjs), an isolate's expressions (native tests).

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { fillIn, linkToken } from "./oauth-accounts.mjs";
import { assertError, eventually, install, ok } from "./steps.mjs";
import { accountUrl, webhookAccount, received, send, standardRequest } from "./webhooks.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";

const [KIB, MIB] = [1024, 1024 * 1024];
/** So many bytes of text. */
const text = (bytes) => "x".repeat(bytes);
/** `make(filling)` as JSON of exactly so many bytes. */
function json(bytes, make) {
  const least = Buffer.byteLength(JSON.stringify(make("")));
  return JSON.stringify(make(text(bytes - least)));
}

let scripted, gateway, environment;
before(async () => {
  const copies = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`copy${n}`, "{{body.t}}"]));
  const steps = (count) => ({ steps: Array.from({ length: count }, () => ({ type: "transform", config: { expression: "1" } })) });
  scripted = await startScriptedProvider({
    config: {
      resources: {
        ships: { list: { path: "/ships", response_path: "data" }, get: { path: "/ships/{{id}}" }, create: { method: "post", path: "/ships" } },
        looked: { create: { method: "post", path: "/looked", body: { kept: "{{body.t}}" } } },
        copied: { create: { method: "post", path: "/copied", body: copies } },
        queried: { create: { method: "post", path: "/queried", query: { q: "{{body.t}}" }, ignore_body: true } },
        headed: { create: { method: "post", path: "/headed", headers: { "x-t": "{{body.t}}" }, ignore_body: true } },
      },
      actions: { fifty: steps(50), many: steps(51) },
    },
  });
  ({ gateway, environment } = scripted);
});
after(() => scripted?.stop());
beforeEach(() => scripted.clear());

const call = (...request) => scripted.call(...request);

describe("admin", () => {
  test("a body of 1 MiB", async () => {
    const file = (filling) => ({ name: "padded", config: { label: "Padded", base_url: "https://api.example.com", "x-filling": filling } });
    ok(await gateway.admin("POST", "/integration/validate", json(MIB, file)), 200);
    const error = assertError(await gateway.admin("POST", "/integration/validate", json(MIB + 1, file)), 413, "caller.body_too_large");
    assert.equal(error.details.limit_bytes, MIB);
  });

  test("64 levels", async () => {
    // The body and its context are two of them.
    const nested = (levels) => `{"context":{"deep":${"[".repeat(levels - 2)}${"]".repeat(levels - 2)}}}`;
    ok(await environment.call("PATCH", `/integrated-account/${scripted.account.id}`, nested(64)), 200);
    assertError(await environment.call("PATCH", `/integrated-account/${scripted.account.id}`, nested(65)), 400, "caller.malformed");
  });

  test("10,000 placeholders of a file", async () => {
    const file = (count) => ({
      name: "crowded",
      config: { label: "Crowded", base_url: "https://api.example.com", resources: { a: { create: { method: "post", path: "/a", body: { all: Array(count).fill("{{id}}") } } } } },
    });
    ok(await gateway.admin("PUT", "/integration/crowded", file(10_000)), 201);
    assertError(await gateway.admin("PUT", "/integration/crowded", file(10_001)), 422, "caller.invalid");
  });

  test("an expression of 16 KiB", async () => {
    const file = (bytes) => ({ name: "wordy", config: { label: "Wordy", base_url: "https://api.example.com", error_expression: `"${text(bytes - 2)}"` } });
    ok(await gateway.admin("PUT", "/integration/wordy", file(16 * KIB)), 201);
    assertError(await gateway.admin("PUT", "/integration/wordy", file(16 * KIB + 1)), 422, "caller.invalid");
  });

  test("a context of 256 KiB", async () => {
    const account = (bytes) => ({ tenant_id: "t", environment_integration_id: scripted.installed.id, authentication_method: "api_key", context: JSON.parse(json(bytes, (note) => ({ note }))) });
    const { id } = ok(await environment.call("POST", "/integrated-account", account(256 * KIB)), 201);
    assertError(await environment.call("POST", "/integrated-account", account(256 * KIB + 1)), 422, "caller.invalid");
    assertError(await environment.call("PATCH", `/integrated-account/${id}`, { context: { one: "more" } }), 422, "caller.invalid");
  });

  test("a tenant_id of 255 characters", async () => {
    const account = (tenant_id) => ({ tenant_id, environment_integration_id: scripted.installed.id, authentication_method: "api_key", context: { api_key: "k" } });
    ok(await environment.call("POST", "/integrated-account", account("ü".repeat(255))), 201);
    await eachCase(["", "ü".repeat(256)], async (tenant) => { assertError(await environment.call("POST", "/integrated-account", account(tenant)), 422, "caller.invalid"); });
  });

  test("names of 100 characters", async () => {
    ok(await gateway.admin("POST", "/environment", { name: "é".repeat(100) }), 201);
    assertError(await gateway.admin("POST", "/environment", { name: "é".repeat(101) }), 422, "caller.invalid");
    ok(await environment.call("POST", "/api-token", { name: text(100) }), 201);
    assertError(await environment.call("POST", "/api-token", { name: text(101) }), 422, "caller.invalid");
  });

  test("1,000 ids of a bulk delete", async () => {
    const ids = Array.from({ length: 1_001 }, () => randomUUID());
    const { result } = ok(await environment.call("POST", "/integrated-account/bulk-delete", { ids: ids.slice(1) }), 200);
    assert.equal(result.length, 1_000);
    assertError(await environment.call("POST", "/integrated-account/bulk-delete", { ids }), 422, "caller.invalid");
  });

  test("lists give 1,000 at most, and say so", async () => {
    await eachCase([["1000", 1_000], ["1001", 1_000], [undefined, 100]], async ([asked, given]) => {
      const { limit } = ok(await environment.call("GET", `/integrated-account${asked ? `?limit=${asked}` : ""}`), 200);
      assert.equal(limit, given);
    });
  });

  test("a subscription: an address of 2,048 characters, 100 event types of 255 characters", async () => {
    const address = (length) => `https://company.example/${text(length - "https://company.example/".length)}`;
    const types = (count, length) => Array.from({ length: count }, (_, n) => `${n}.${"a".repeat(length)}`.slice(0, length));
    ok(await environment.call("POST", "/webhook", { target_url: address(2_048), event_types: types(100, 255), is_active: false }), 201);
    await eachCase([{ target_url: address(2_049) }, { target_url: address(50), event_types: types(101, 10) }, { target_url: address(50), event_types: types(1, 256) }, { target_url: address(50), event_types: [] }], async (webhook) => {
      assertError(await environment.call("POST", "/webhook", webhook), 422, "caller.invalid");
    });
  });
});

describe("what is sent", () => {
  test("a body of 64 KiB is sent again behind a redirect, a larger or streamed one is not", async () => {
    scripted.answers.set("/ships", () => ({ status: 307, headers: { location: "/api-key" } }));
    const body = text(64 * KIB);
    ok(await call("POST", "/proxy/ships", body), 200);
    assert.equal(scripted.at("/api-key")[0].body.toString(), body);
    assertError(await call("POST", "/proxy/ships", `${body}x`), 502, "provider.redirect_needs_body");
    const stream = ReadableStream.from([Buffer.from("short")]);
    assertError(await call("POST", "/proxy/ships", stream), 502, "provider.redirect_needs_body");
    assert.equal(scripted.at("/api-key").length, 1);
  });

  test("a body that a template looks into: 1 MiB", async () => {
    ok(await call("POST", "/proxy/looked", json(MIB, (t) => ({ t }))), 200);
    const error = assertError(await call("POST", "/proxy/looked", json(MIB + 1, (t) => ({ t }))), 413, "caller.body_too_large");
    assert.equal(error.details.limit_bytes, MIB);
    assert.equal(scripted.requests.length, 1);
  });

  test("a body that a template makes: 8 MiB, 32 bytes for each value", async () => {
    // Eight copies; their names and the object itself count, too.
    ok(await call("POST", "/proxy/copied", { t: text(MIB - 200) }), 200);
    assert.ok(scripted.requests[0].body.length > 8 * MIB - 2 * KIB);
    assertError(await call("POST", "/proxy/copied", { t: text(MIB - 20) }), 500, "integration.invalid");
    assert.equal(scripted.requests.length, 1);
  });

  for (const [what, path] of Object.entries({ "a path and query that templates make": "/proxy/queried", "a header value that a template makes": "/proxy/headed" })) {
    test(`${what}: 16 KiB`, async () => {
      ok(await call("POST", path, { t: text(16 * KIB - 100) }), 200);
      assertError(await call("POST", path, { t: text(16 * KIB + 1) }), 500, "integration.invalid");
      assert.equal(scripted.requests.length, 1);
    });
  }

  test("a caller's own parameters do not count there", async () => {
    ok(await call("POST", `/proxy/queried?own=${text(6 * KIB)}`, { t: text(15 * KIB) }), 200);
  });
});

describe("what is answered", () => {
  const list = (bytes) => json(bytes, (data) => ({ data: [data] }));

  test("an answer that is looked into: 8 MiB; unread there is no limit", async () => {
    scripted.answers.set("/ships", ({ query }) => ({ body: list(Number(query.get("bytes"))) }));
    scripted.answers.set("/ships/1", () => ({ body: list(9 * MIB) }));
    assert.equal(ok(await call("GET", `/proxy/ships?bytes=${8 * MIB}`), 200).result_count, 1);
    const error = assertError(await call("GET", `/proxy/ships?bytes=${8 * MIB + 1}`), 502, "provider.answer_too_large");
    assert.match(error.message, /custom|get/);
    await eachCase(["/proxy/ships/1", "/custom/ships/1"], async (path) => assert.equal((await call("GET", path)).text.length, 9 * MIB));
  });

  test("such answers of one isolate together: 32 MiB, then 503 until there is room", async () => {
    const held = [];
    const whole = list(7 * MIB);
    scripted.answers.set("/ships", ({ query }) => (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      if (!query.has("held")) return response.end(list(5 * MIB));
      response.write(whole.slice(0, -1));
      held.push(response);
    });
    // Two accounts, since one may hold its connections only for the head of an answer.
    const other = await scripted.another();
    const calls = [scripted.account, scripted.account, other, other].map((account) => call("GET", "/proxy/ships?held=1", undefined, { "x-timeout-ms": "30000" }, { account }));
    await eventually(() => assert.equal(held.length, 4));
    const refused = await eventually(async () => {
      const answer = await call("GET", "/proxy/ships");
      assert.equal(answer.status, 503);
      return answer;
    });
    assertError(refused, 503, "internal.busy");
    assert.ok(Number(refused.headers.get("retry-after")) > 0);
    held.splice(0).forEach((response) => response.end(whole.at(-1)));
    // Cutting needs room, too, so not all of them must come through; that all end and give back their room is what counts.
    await eachCase(await Promise.all(calls), ({ status }) => assert.ok([200, 503].includes(status), `${status}`));
    ok(await call("GET", "/proxy/ships"), 200);
  });

  test("five redirects", async () => {
    scripted.answers.set("/ships/5", () => ({ status: 302, headers: { location: "/hop/4" } }));
    scripted.answers.set("/ships/6", () => ({ status: 302, headers: { location: "/hop/5" } }));
    for (let n = 1; n <= 5; n++) scripted.answers.set(`/hop/${n}`, () => ({ status: 302, headers: { location: `/hop/${n - 1}` } }));
    ok(await call("GET", "/proxy/ships/5"), 200);
    assert.equal(scripted.requests.length, 6);
    assertError(await call("GET", "/proxy/ships/6"), 502, "provider.redirect_refused");
  });

  test("a call's time, as its caller says", async () => {
    scripted.answers.set("/ships/1", () => ({ body: {}, delayMs: 1_000 }));
    ok(await call("GET", "/proxy/ships/1", undefined, { "x-timeout-ms": "10000" }), 200);
    scripted.answers.set("/ships/1", () => ({ body: {}, delayMs: 10_000 }));
    const began = Date.now();
    assertError(await call("GET", "/proxy/ships/1", undefined, { "x-timeout-ms": "500" }), 504, "provider.timeout");
    assert.ok(Date.now() - began < 8_000);
    scripted.answers.set("/ships/1", () => ({ body: {} }));
    await eachCase(["0", "-5", "soon", "1.5"], async (odd) => { assertError(await call("GET", "/proxy/ships/1", undefined, { "x-timeout-ms": odd }), 400, "caller.malformed"); });
    ok(await call("GET", "/proxy/ships/1", undefined, { "x-timeout-ms": "100001" }), 200); // clamped, not refused
  });

  test("and 30 s when they do not", { skip: !process.env.SLOW && "takes 30 s: SLOW=1" }, async () => {
    scripted.answers.set("/ships/1", () => ({ body: {}, delayMs: 28_000 }));
    scripted.answers.set("/ships/2", () => "silent");
    const [under, over] = await Promise.all([call("GET", "/proxy/ships/1"), call("GET", "/proxy/ships/2")]);
    ok(under, 200);
    assertError(over, 504, "provider.timeout");
  });

  test("50 steps of an action", async () => {
    ok(await call("POST", "/proxy/_/fifty"), 200);
    assertError(await call("POST", "/proxy/_/many"), 501, "integration.unsupported");
  });
});

describe("tokens, webhooks, connecting", () => {
  test("an answer of a token endpoint: 256 KiB", async () => {
    const config = {
      credentials: {
        oauth2_client_credentials: {
          format: "oauth2_client_credentials",
          config: { client: { id: "{{client_id}}", secret: "{{client_secret}}" }, auth: { tokenHost: scripted.url, tokenPath: "/token" }, fields: [{ name: "client_id", type: "text" }, { name: "client_secret", type: "password" }] },
        },
      },
      authorization: { format: "bearer" },
      resources: { ships: { list: { path: "/ships" } } },
    };
    const context = { client_id: "a", client_secret: "b", oauth: { token: { access_token: "old", expires_at: "2020-01-01T00:00:00.000Z" } } };
    const account = async () => (await scripted.install(config, { context, authentication_method: "oauth2_client_credentials" })).account;
    const token = (bytes) => json(bytes, (note) => ({ access_token: "new", token_type: "Bearer", expires_in: 3_600, note }));
    scripted.answers.set("/ships", ({ headers }) => ({ body: [headers.authorization] }));
    scripted.answers.set("/token", () => ({ body: token(256 * KIB) }));
    assert.deepEqual(ok(await call("GET", "/proxy/ships", undefined, {}, { account: await account() }), 200).result, ["Bearer new"]);
    scripted.answers.set("/token", () => ({ body: token(256 * KIB + 1) }));
    const refused = await call("GET", "/proxy/ships", undefined, {}, { account: await account() });
    assertError(refused, 503, "provider.token_endpoint");
    assert.ok(Number(refused.headers.get("retry-after")) > 0);
  });

  test("a webhook of 1 MiB", async () => {
    const sending = await webhookAccount(gateway, environment, { name: "webhook-sender-limits" });
    const webhook = (bytes) => send(gateway, accountUrl(sending.account), standardRequest(sending.secret, JSON.parse(json(bytes, (note) => ({ type: "wave", note })))));
    ok(await webhook(MIB), 200);
    assertError(await webhook(MIB + 1), 413, "caller.body_too_large");
  });

  test("1,000 events of one webhook, 8 MiB of payload", async () => {
    const change = (webhook) => (webhook.payload_transform = '[1..body.count].{ "event_type": "wave", "payload": $$.body.note }');
    const sending = await webhookAccount(gateway, environment, { name: "webhook-sender-many", change });
    const webhook = async (event) => ok(await send(gateway, accountUrl(sending.account), standardRequest(sending.secret, { type: "wave", ...event })), 200);
    const failed = async () => (await received(environment, sending.account, { status: "failed" })).length;
    assert.equal((await webhook({ count: 1_000, note: "" })).ids.length, 1_000);
    assert.equal(await failed(), 0);
    await webhook({ count: 1_001, note: "" });
    assert.equal(await failed(), 1);
    assert.equal((await webhook({ count: 8, note: text(MIB - 300) })).ids.length, 8);
    await webhook({ count: 9, note: text(MIB - 300) });
    assert.equal(await failed(), 2);
  });

  test("a form: 256 KiB, a password of 8,000 characters", async () => {
    await install(gateway, environment, "api-key");
    const link = () => linkToken(environment, { integration: "api-key" });
    // Past the form there is no provider to ask; what counts is whether the form was taken.
    const kept = await fillIn(await link(), { values: { api_key: text(8_000) } });
    assert.doesNotMatch(kept.text ?? "", /8,?000/);
    const refused = await fillIn(await link(), { values: { api_key: text(8_001) } });
    assert.match(refused.text, /8,?000/);
    assert.ok(!refused.text.includes(text(8_001)), "the password is not shown again");
    const large = await fillIn(await link(), { values: { api_key: text(256 * KIB) } });
    assert.equal(large.status, 413);
  });
});
