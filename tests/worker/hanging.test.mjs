// Calls that hang on one account stop neither its token refresh nor its webhooks nor its deliveries: the account's object
// keeps connections for them. The platform's own limit of six is not enforced locally, so what is counted is ours.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { importOauthAccount, oauthFile } from "./oauth-accounts.mjs";
import { CLIENTS, startProvider } from "./provider.mjs";
import { assertDelivery, startReceiver } from "./receiver.mjs";
import { assertError, eventually, newEnvironment, ok } from "./steps.mjs";
import { eventsOf, newSecret, sendEvent } from "./webhooks.mjs";

const [CALLS, HANGS_MS, SLOTS] = [10, 20_000, 4];
const secret = newSecret();

let provider, receiver, gateway, environment, installed, slowProvider;
before(async () => {
  provider = await startProvider();
  receiver = await startReceiver();
  slowProvider = await startSlowProvider();
  gateway = await start({ internet: "real", between: countHandedOver });
  environment = await newEnvironment(gateway, "hanging");
  // The rotating OAuth provider, whose API is the slow one, with the webhooks of the webhook sender.
  const file = await oauthFile(provider);
  file.config.base_url = slowProvider.url;
  file.config.resources.things.list.path = "/{{query.where}}";
  file.config.webhook = {
    signature_verification: { format: "standard_webhooks", config: { secret: "{{environment_variables.webhook_secret}}" } },
    payload_transform: '{ "event_type": body.type, "payload": body }',
  };
  ok(await gateway.admin("PUT", "/integration/rotating-oauth", file), 201);
  const { client_id, client_secret } = CLIENTS.basic;
  const override = { environment_variables: { client_id }, secret_environment_variables: { client_secret, webhook_secret: secret } };
  installed = ok(await environment.call("POST", "/environment-integration", { integration_name: "rotating-oauth", override }), 201);
});
after(async () => {
  await gateway?.stop();
  await Promise.all([provider, receiver, slowProvider].map((each) => each?.stop()));
});

/** Calls that the Worker has handed over to an account's object. */
let handedOver = 0;
function countHandedOver({ when, where, what }) {
  if (when === "before" && where === "Account" && what === "GET /proxy/things") handedOver += 1;
}

/** An API that answers nothing for so long, but `/quick`: `{url, atOnce, asked, stop}`. */
async function startSlowProvider() {
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
  Object.assign(slowProvider, { atOnce: 0, asked: 0 });
  handedOver = 0;
  const calls = { over: false };
  const first = Array.from({ length: SLOTS }, () => call(account, "slow", timeout));
  await eventually(() => assert.equal(slowProvider.asked, SLOTS));
  const patient = Array.from({ length: CALLS - SLOTS - impatient }, () => call(account, "slow", timeout));
  await eventually(() => assert.equal(handedOver, CALLS - impatient)); // the first to arrive is the first in the queue
  const hasty = Array.from({ length: impatient }, () => call(account, "slow", least));
  calls.answers = Promise.all([...first, ...patient, ...hasty]).finally(() => (calls.over = true));
  return calls;
}

/** Does this while the calls hang: proof that it did not wait for them, on a machine of any speed. */
async function during(calls, what, work) {
  const outcome = await work();
  assert.equal(calls.over, false, `${what} waited for the calls that hang`);
  return outcome;
}

test("a refresh, webhooks in and deliveries out continue; the calls are answered in order", async () => {
  const account = await importOauthAccount(environment, installed, provider);
  const webhook = ok(await environment.call("POST", "/webhook", { target_url: `${receiver.url}/hanging`, event_types: ["wave"] }), 201);
  const calls = await hang(account, { timeout: 25_000, impatient: 2, least: 24_000 });

  provider.received.length = 0;
  await during(calls, "the refresh", async () => ok(await environment.call("POST", "/integrated-account/refresh-credentials", { id: account.id }), 200));
  assert.equal(provider.counts().refreshes, 1);

  for (let wave = 0; wave < 3; wave++) {
    const id = await during(calls, "the webhook", () => sendEvent(gateway, { account, secret }, { type: "wave", wave }));
    const [delivery] = await during(calls, "the delivery", () => eventually(() => {
      const came = receiver.events(id);
      assert.equal(came.length, 1);
      return came;
    }));
    assertDelivery(delivery, webhook);
  }
  await during(calls, "reading the account", async () => ok(await environment.call("GET", `/integrated-account/${account.id}`), 200));
  assert.equal(slowProvider.atOnce, SLOTS);
  assert.equal(slowProvider.asked, SLOTS);

  const answers = await calls.answers;
  const statuses = answers.map(({ status }) => status).sort();
  // Four had their answer after 20 s; four more began then, and had 5 s left; two never began.
  assert.deepEqual(statuses, [...Array(4).fill(200), 503, 503, ...Array(4).fill(504)]);
  await eachCase(answers.filter(({ status }) => status !== 200), (answer) => { assertError(answer, answer.status, answer.status === 504 ? "provider.timeout" : "internal.busy"); });
  assert.equal(slowProvider.atOnce, SLOTS);
});

test("a token that expires in that time is refreshed by alarm, without a call", async () => {
  provider.settings.accessTokenTtl = 5;
  const account = await importOauthAccount(environment, installed, provider);
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

test("another account is not affected; a call that waits too long for a connection gets an error", async () => {
  const [stuck, free] = [await importOauthAccount(environment, installed, provider), await importOauthAccount(environment, installed, provider)];
  const calls = await hang(stuck, { timeout: 5_000, impatient: 6, least: 4_000 });
  await during(calls, "the other's call", async () => ok(await call(free, "quick", 5_000), 200));
  const refused = await during(calls, "waiting", () => call(stuck, "quick", 1_000));
  assertError(refused, 503, "internal.busy");
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  const answers = await calls.answers;
  assert.equal(slowProvider.asked, SLOTS + 1);
  // Six were never sent, which is not the provider's fault.
  assert.deepEqual(answers.map(({ body }) => body.code).sort(), [...Array(6).fill("internal.busy"), ...Array(4).fill("provider.timeout")]);
  // And the connections are free again.
  await eventually(async () => ok(await call(stuck, "quick", 5_000), 200));
});
