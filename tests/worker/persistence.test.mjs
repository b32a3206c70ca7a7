// SIGKILL to the runtime, as a power cut: what was answered is still there.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { assertError, apiKeyAccount, eventually, importAccount, newEnvironment, ok } from "./steps.mjs";
import { accountUrl, eventDetail, eventsOf, send, sendEvent, standardRequest, webhookAccount, wireBytes } from "./webhooks.mjs";

let gateway;
let answers = () => Response.json({ id: 1 });
before(async () => {
  gateway = await start({ internet: (request) => answers(request) });
});
after(() => gateway.stop());

test("environment, token, integration, install and account survive a kill right after their answers", async () => {
  const { environment, installed, account } = await apiKeyAccount(gateway);
  await gateway.restart();
  assert.equal(ok(await gateway.admin("GET", `/environment/${environment.id}`), 200).id, environment.id);
  assert.equal(ok(await environment.call("GET", `/environment-integration/${installed.id}`), 200).id, installed.id);
  // Its webhook_url has the port of the restarted gateway.
  const here = { ...account, webhook_url: account.webhook_url.replace(/^http:\/\/[^/]*/, gateway.url.origin) };
  assert.deepEqual(ok(await environment.call("GET", `/integrated-account/${account.id}`), 200), here);
  ok(await environment.call("GET", `/proxy/ships/1?integrated_account_id=${account.id}`), 200);
});

test("a kill in the middle of a call loses the call and nothing else", async () => {
  const { environment, account } = await apiKeyAccount(gateway);
  const reached = Promise.withResolvers();
  const never = new Promise(() => {});
  answers = () => {
    reached.resolve();
    return never;
  };
  const call = environment.call("GET", `/proxy/ships/1?integrated_account_id=${account.id}`).catch((error) => error);
  await reached.promise;
  await gateway.restart();
  assert.ok((await call) instanceof Error);
  answers = () => Response.json({ id: 1 });
  ok(await environment.call("GET", `/proxy/ships/1?integrated_account_id=${account.id}`), 200);
});

test("a deletion survives a kill", async () => {
  const { environment, installed, account } = await apiKeyAccount(gateway);
  ok(await environment.call("DELETE", `/integrated-account/${account.id}`), 200);
  await gateway.restart();
  assertError(await environment.call("GET", `/integrated-account/${account.id}`), 404, "caller.");
  const kept = await importAccount(environment, installed, { api_key: "again" });
  const { result } = ok(await environment.call("GET", "/integrated-account"), 200);
  assert.deepEqual(result.map(({ id }) => id), [kept.id]);
});

test("stored credentials open with every key of SEALING_KEYS, and only with those", async () => {
  const { environment, account } = await apiKeyAccount(gateway);
  const path = `/proxy/ships/1?integrated_account_id=${account.id}`;
  const { SEALING_KEYS: first } = gateway.vars;
  const newer = `newer:${Buffer.alloc(32, 7).toString("base64")}`;
  await gateway.restart({ vars: { SEALING_KEYS: `${newer},${first}` } });
  ok(await environment.call("GET", path), 200);
  await gateway.restart({ vars: { SEALING_KEYS: newer } });
  assertError(await gateway.admin("GET", path), 500, "internal.");
  assertError(await environment.call("GET", path), 401, "caller.unauthenticated");
  await gateway.restart({ vars: { SEALING_KEYS: first } });
  ok(await environment.call("GET", path), 200);
});

test("texts, numbers and NULL are read as they were stored, also after a kill", async () => {
  const environment = await newEnvironment(gateway, randomUUID());
  const sending = await webhookAccount(gateway, environment);
  const texts = ["", "null", "7", `"quoted" and 'quoted' and \\ and \\u2028`, "lines\r\n\tend", "\u2028 and \u2029 and \u0085", "🦀 👩‍👩‍👧 e\u0301", '{"a":["b"]}'];
  const numbers = [0, -1, 1.5, 2 ** 31, 2 ** 53 - 1, 2 ** 53, -(2 ** 53)];
  const events = [...texts, ...numbers, undefined].map((wave) => ({ type: "wave", wave, texts, numbers, none: null }));
  const stored = await Promise.all(events.map(async (event) => ({ event, id: await sendEvent(gateway, sending, event) })));
  const check = () => eachCase(stored, async ({ event, id }) => {
    const detail = await eventDetail(environment, id);
    assert.deepEqual(detail.payload, JSON.parse(JSON.stringify(event)));
    assert.equal(detail.resource_type, "waves");
    assert.equal(detail.resource_id ?? undefined, event.wave === undefined ? undefined : String(event.wave));
  });
  await check();
  await gateway.restart();
  await check();
});

test("a table that was asked for before it was made is seen, and none is after the deletion", async () => {
  const { environment, account } = await apiKeyAccount(gateway);
  const path = `/proxy/ships/1?integrated_account_id=${account.id}`;
  const log = async () => ok(await environment.call("GET", `/log?integrated_account_id=${account.id}`), 200).result.length;
  const issue = async () => ok(await environment.call("POST", "/integrated-account/token", { integrated_account_id: account.id }), 201).integrated_account_token;
  const key = { "idempotency-key": randomUUID() };
  const write = () => environment.call("POST", `/proxy/ships?integrated_account_id=${account.id}`, { name: "Fram" }, key);
  assert.equal(await log(), 0);
  const forged = gateway.as(`${(await issue()).slice(0, -4)}AAAA`);
  assertError(await forged("GET", path), 401, "caller.");
  ok(await gateway.as(await issue())("GET", path), 200);
  ok(await write(), 200);
  assert.deepEqual((await write()).body, (await write()).body);
  await eventually(async () => assert.ok((await log()) >= 2, `${await log()} lines`));
  const token = await issue();
  ok(await environment.call("DELETE", `/integrated-account/${account.id}`), 200);
  const isGone = async () => {
    assertError(await gateway.as(token)("GET", path), 401, "caller.");
    assertError(await environment.call("GET", path), 404, "caller.");
  };
  await isGone();
  await gateway.evict("Account");
  await isGone();
});

test("webhooks around the 16 KiB up to which a body is read at once are stored whole", async () => {
  const environment = await newEnvironment(gateway, randomUUID());
  const sending = await webhookAccount(gateway, environment);
  const most = 16 * 1_024;
  const padded = (bytes) => {
    const event = { type: "wave", wave: bytes, padding: "" };
    return { ...event, padding: "x".repeat(bytes - JSON.stringify(event).length) };
  };
  await eachCase([most - 1, most, most + 1, 4 * most], async (bytes) => {
    const event = padded(bytes);
    assert.equal(JSON.stringify(event).length, bytes);
    assert.deepEqual((await eventDetail(environment, await sendEvent(gateway, sending, event))).payload, event);
    const { headers, body } = standardRequest(sending.secret, event);
    const streamed = await gateway.fetch(accountUrl(sending.account), { method: "POST", headers, body: new Blob([body]).stream(), duplex: "half" });
    const { id } = ok({ status: streamed.status, body: await streamed.json() }, 200);
    assert.deepEqual((await eventDetail(environment, id)).payload, event, "without a length");
    const spoiled = { headers, body: body.replace("xx", "xy") };
    assertError(await send(gateway, accountUrl(sending.account), spoiled), 401, "caller.");
  });
  assert.equal((await eventsOf(environment, sending.account, { event: "wave" })).length, 8);
});

test("a short length next to chunks is not believed", async () => {
  const environment = await newEnvironment(gateway, randomUUID());
  const sending = await webhookAccount(gateway, environment);
  const chunked = (padding) => {
    const event = { type: "wave", wave: padding, padding: "x".repeat(padding) };
    const { headers, body } = standardRequest(sending.secret, event);
    const fields = { ...headers, host: gateway.url.host, connection: "close", "content-length": 2, "transfer-encoding": "chunked" };
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const bytes = `POST ${accountUrl(sending.account)} HTTP/1.1\r\n${lines}\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    return { event, sent: wireBytes(gateway, Buffer.from(bytes)) };
  };
  for (const padding of [1, 20_000]) {
    const { event, sent } = chunked(padding);
    const { id } = ok(await sent, 200);
    assert.deepEqual((await eventDetail(environment, id)).payload, event);
  }
  assertError(await chunked(1_024 * 1_024).sent, 413, "caller.body_too_large");
});
