// Calls that hang on one account stop neither its token refresh nor its webhooks nor its deliveries: the account's object
// keeps connections for them. The platform's own limit of six is not enforced locally, so what is counted is ours.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "./harness.mjs";
import { importLighthouse, lighthouseFile } from "./lighthouse.mjs";
import { CLIENTS, startProvider } from "./provider.mjs";
import { assertDelivery, startReceiver } from "./receiver.mjs";
import { assertError, eventually, newEnvironment, ok } from "./steps.mjs";
import { eventsOf, newSecret, sendEvent } from "./webhooks.mjs";

const [CALLS, HANGS_MS, SLOTS] = [10, 20_000, 4];
const secret = newSecret();

let provider, receiver, gateway, environment, installed, pit;
before(async () => {
  provider = await startProvider();
  receiver = await startReceiver();
  pit = await startPit();
  gateway = await start({ internet: "real" });
  environment = await newEnvironment(gateway, "hanging");
  // The lighthouse, whose API is the pit, with the webhooks of the buoy.
  const file = await lighthouseFile(provider);
  file.config.base_url = pit.url;
  file.config.resources.things.list.path = "/{{query.where}}";
  file.config.webhook = {
    signature_verification: { format: "standard_webhooks", config: { secret: "{{environment_variables.webhook_secret}}" } },
    payload_transform: '{ "event_type": body.type, "payload": body }',
  };
  ok(await gateway.admin("PUT", "/integration/lighthouse", file), 201);
  const { client_id, client_secret } = CLIENTS.basic;
  const override = { environment_variables: { client_id }, secret_environment_variables: { client_secret, webhook_secret: secret } };
  installed = ok(await environment.call("POST", "/environment-integration", { integration_name: "lighthouse", override }), 201);
});
after(async () => {
  await gateway?.stop();
  await Promise.all([provider, receiver, pit].map((each) => each?.stop()));
});

/** An API that answers nothing for so long, but `/quick`: `{url, atOnce, asked, stop}`. */
async function startPit() {
  const state = { open: 0, atOnce: 0, asked: 0 };
  const server = createServer(({ url }, response) => {
    state.asked += 1;
    state.atOnce = Math.max(state.atOnce, ++state.open);
    response.on("close", () => (state.open -= 1));
    const answer = () => response.writeHead(200, { "content-type": "application/json" }).end('{"things":[]}');
    url.startsWith("/quick") ? answer() : setTimeout(answer, HANGS_MS).unref();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(state, {
    url: `http://127.0.0.1:${server.address().port}`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  });
}

const call = ({ id }, where, timeout) =>
  environment.call("GET", `/proxy/things?where=${where}&integrated_account_id=${id}`, undefined, { "x-timeout-ms": String(timeout), "x-max-retries": "0" });

/** Ten calls that hang, and by now fill the account's connections: their answers, and whether they are still out. The last few are more impatient. */
async function hang(account, { timeout, impatient, least }) {
  Object.assign(pit, { atOnce: 0, asked: 0 });
  const calls = { over: false };
  const first = Array.from({ length: SLOTS }, () => call(account, "slow", timeout));
  await eventually(() => assert.equal(pit.asked, SLOTS));
  const patient = Array.from({ length: CALLS - SLOTS - impatient }, () => call(account, "slow", timeout));
  await sleep(500); // whoever comes first waits in front
  const hasty = Array.from({ length: impatient }, () => call(account, "slow", least));
  calls.answers = Promise.all([...first, ...patient, ...hasty]).finally(() => (calls.over = true));
  return calls;
}

async function within(ms, what, work) {
  const began = Date.now();
  const outcome = await work();
  assert.ok(Date.now() - began < ms, `${what} took ${Date.now() - began} ms`);
  return outcome;
}

test("a refresh, webhooks in and deliveries out go on meanwhile; the calls are answered in their turn", async () => {
  const account = await importLighthouse(environment, installed, provider);
  const webhook = ok(await environment.call("POST", "/webhook", { target_url: `${receiver.url}/hanging`, event_types: ["wave"] }), 201);
  const calls = await hang(account, { timeout: 25_000, impatient: 2, least: 24_000 });

  provider.received.length = 0;
  await within(3_000, "the refresh", async () => ok(await environment.call("POST", "/integrated-account/refresh-credentials", { id: account.id }), 200));
  assert.equal(provider.counts().refreshes, 1);

  for (let wave = 0; wave < 3; wave++) {
    const id = await within(2_000, "the webhook", () => sendEvent(gateway, { account, secret }, { type: "wave", wave }));
    const [delivery] = await within(6_000, "the delivery", () => eventually(() => {
      const came = receiver.events(id);
      assert.equal(came.length, 1);
      return came;
    }));
    assertDelivery(delivery, webhook);
  }
  await within(2_000, "reading the account", async () => ok(await environment.call("GET", `/integrated-account/${account.id}`), 200));
  assert.equal(calls.over, false, "the calls hang still");
  assert.equal(pit.atOnce, SLOTS);
  assert.equal(pit.asked, SLOTS);

  const answers = await calls.answers;
  const statuses = answers.map(({ status }) => status).sort();
  // Four had their answer after 20 s; four more began then, and had 5 s left; two never began.
  assert.deepEqual(statuses, [...Array(4).fill(200), 503, 503, ...Array(4).fill(504)]);
  for (const answer of answers.filter(({ status }) => status !== 200)) assertError(answer, answer.status, answer.status === 504 ? "provider.timeout" : "internal.busy");
  assert.equal(pit.atOnce, SLOTS);
});

test("a token that ends meanwhile is refreshed by alarm, without a call", async () => {
  provider.settings.accessTokenTtl = 5;
  const account = await importLighthouse(environment, installed, provider);
  ok(await call(account, "quick", 5_000), 200);
  const calls = await hang(account, { timeout: 15_000, impatient: 6, least: 14_000 });
  provider.received.length = 0;
  await eventually(() => assert.ok(provider.counts().refreshes > 0), 12);
  assert.equal(calls.over, false);
  provider.settings.accessTokenTtl = 3_600;
  await calls.answers;
  const events = await eventsOf(environment, account);
  assert.ok(events.every(({ event }) => event !== "integrated_account:authentication_error"));
});

test("another account is not concerned; who waits too long for a connection is told so", async () => {
  const [stuck, free] = [await importLighthouse(environment, installed, provider), await importLighthouse(environment, installed, provider)];
  const calls = await hang(stuck, { timeout: 5_000, impatient: 6, least: 4_000 });
  await within(2_000, "the other's call", async () => ok(await call(free, "quick", 5_000), 200));
  const refused = await within(3_000, "waiting", () => call(stuck, "quick", 1_000));
  assertError(refused, 503, "internal.busy");
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  const answers = await calls.answers;
  assert.equal(pit.asked, SLOTS + 1);
  // Six were never sent, which is not the provider's fault.
  assert.deepEqual(answers.map(({ body }) => body.code).sort(), [...Array(6).fill("internal.busy"), ...Array(4).fill("provider.timeout")]);
  // And the connections are free again.
  await sleep(200);
  await within(2_000, "the next call", async () => ok(await call(stuck, "quick", 5_000), 200));
});
