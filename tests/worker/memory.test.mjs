// One memory budget in the real runtime: forty strangers who send a part of a body and then nothing more keep no caller out, and are
// answered when their time ends; a reader who stops holds memory until it is gone. What is counted natively is in
// tests/native/memory.rs.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { eachCase } from "./cases.mjs";
import { linkToken } from "./oauth-accounts.mjs";
import { assertError, eventually, ok } from "./steps.mjs";
import { accountUrl, webhookAccount, installUrl, send, standardRequest } from "./webhooks.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";

const MIB = 1024 * 1024;
const STRANGERS = 40;

let scripted, gateway, environment, sending;
before(async () => {
  scripted = await startScriptedProvider({ config: { resources: { ships: { list: { path: "/ships", response_path: "data" }, create: { method: "post", path: "/ships" } } } } });
  ({ gateway, environment } = scripted);
  sending = await webhookAccount(gateway, environment);
  scripted.answers.set("/ships", () => ({ body: { data: [{ id: 1 }] } }));
});
after(() => scripted?.stop());

/** A stranger who sends a head that promises `length` bytes and `sent` of them: `{answer, close}`; the answer's status and when it came. */
function stall(path, { length, sent, type = "application/json" }) {
  const began = Date.now();
  const head = `POST ${path} HTTP/1.1\r\nhost: ${gateway.url.host}\r\nconnection: close\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n`;
  const socket = connect(Number(gateway.url.port), gateway.url.hostname, () => {
    socket.write(head);
    socket.write(Buffer.alloc(sent, "{"));
  });
  const answer = new Promise((resolve) => {
    let text = "";
    socket.on("data", (piece) => (text += piece.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]), seconds: (Date.now() - began) / 1_000 }));
  });
  return { answer, close: () => socket.destroy() };
}

/** What proved senders get. */
async function everybodyElse() {
  ok(await scripted.call("GET", "/proxy/ships"), 200);
  ok(await scripted.call("POST", "/proxy/ships", { name: "Fram" }), 200);
  ok(await send(gateway, accountUrl(sending.account), standardRequest(sending.secret, { type: "wave" })), 200);
  ok(await environment.call("POST", "/link-token", { tenant_id: "t" }), 201);
}

const form = "application/x-www-form-urlencoded";
const addresses = {
  "an account's webhook URL": () => [accountUrl(sending.account), { length: MIB }],
  "an install's webhook URL": () => [installUrl(sending.installed), { length: MIB }],
  "a connect form": () => ["/connect/scripted", { length: 256 * 1024, type: form }],
};

for (const [name, address] of Object.entries(addresses)) {
  for (const sent of [1, 200 * 1024]) {
    test(`${STRANGERS} strangers who stall after ${sent} bytes at ${name} keep no caller out and end on time`, async () => {
      const [path, options] = address();
      const open = Array.from({ length: STRANGERS }, () => stall(path, { ...options, sent }));
      await wait(1_000);
      await everybodyElse();
      const answers = await Promise.all(open.map(({ answer }) => answer));
      await eachCase(answers, ({ status, seconds }) => {
        // The oldest give way where there is no room for all.
        assert.ok([408, 503].includes(status), `${status} after ${seconds} s`);
        assert.ok(status === 503 || seconds > 9, `${status} after ${seconds} s`);
        assert.ok(seconds < 16, `${status} after ${seconds} s`);
      });
      if (sent === 1) assert.ok(answers.every(({ status }) => status === 408));
      await everybodyElse();
    });
  }
}

/** A caller who asks for the ships and reads nothing: closes it. */
function readNothing() {
  const head = `GET /proxy/ships?integrated_account_id=${scripted.account.id} HTTP/1.1\r\nhost: ${gateway.url.host}\r\nauthorization: Bearer ${environment.token}\r\n\r\n`;
  const socket = connect(Number(gateway.url.port), gateway.url.hostname, () => socket.write(head));
  socket.pause();
  socket.on("error", () => {});
  return () => socket.destroy();
}

test("readers who stop hold what they were to be sent, and give it back when they are gone", async () => {
  // What the system's own buffers take, some 4 MiB of each here, is none of the gateway's.
  const large = `{"data":["${"x".repeat(7 * MIB)}"]}`;
  scripted.answers.set("/ships", () => ({ body: large }));
  const close = [];
  for (let reader = 1; reader <= 5; reader += 1) {
    const before = scripted.at("/ships").length;
    close.push(readNothing());
    await eventually(() => assert.ok(scripted.at("/ships").length > before));
    await wait(500);
  }
  assertError(await scripted.call("GET", "/proxy/ships", undefined, { "x-max-retries": "0" }), 503, "internal.busy");
  for (const one of close) one();
  await eventually(async () => assert.equal((await scripted.call("GET", "/proxy/ships")).status, 200));
});

test("readers who leave before a small answer leave nothing held", async () => {
  const small = { data: ["x".repeat(200 * 1024)] }; // 240 of them are more than the whole budget
  scripted.answers.set("/ships", () => ({ body: small, delayMs: 30 }));
  const asked = () => scripted.at("/ships").length;
  for (let round = 1; round <= 60; round += 1) {
    const before = asked();
    const close = Array.from({ length: 4 }, readNothing);
    await eventually(() => assert.ok(asked() >= before + close.length));
    for (const one of close) one();
  }
  const large = "y".repeat(7 * MIB);
  scripted.answers.set("/ships", () => ({ body: { data: [large] } }));
  assert.equal(ok(await scripted.call("GET", "/proxy/ships", undefined, { "x-max-retries": "0" }), 200).result[0], large);
});

test("an answer of some mebibytes comes whole, and so do many at once", async () => {
  const large = "y".repeat(3 * MIB);
  scripted.answers.set("/ships", () => ({ body: { data: [large] } }));
  await eachCase(await Promise.all(Array.from({ length: 2 }, () => scripted.call("GET", "/proxy/ships"))), (answer) => {
    assert.equal(ok(answer, 200).result[0], large);
  });
});

test("a link token's page of a list, its context and its count are bounded", async () => {
  const over = { tenant_id: "t", context: { a: "x".repeat(16 * 1024) } };
  assertError(await environment.call("POST", "/link-token", over), 422, "caller.invalid");
  await linkToken(environment, { context: { api_key: "k" } });
  const sealing = ok(await gateway.admin("GET", "/sealing"), 200);
  assert.ok(sealing.keys[0].count > 0);
  ok(await gateway.admin("POST", "/sealing/rotate"), 200, 202);
});
