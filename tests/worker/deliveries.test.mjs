// What a company hears: subscriptions, and deliveries to a real server, each checked by the `standardwebhooks` library.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { assertDelivery, startReceiver } from "./receiver.mjs";
import { assertError, eventually, importAccount, newEnvironment, ok } from "./steps.mjs";
import { assertEventId, webhookAccount, eventDetail, eventsOf, received, sendEvent } from "./webhooks.mjs";

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const HOST = "https://company.example";

let gateway, receiver;
/** path of the endpoint → `(request, how many came there) => answer`; others get 200. */
const answers = new Map();
before(async () => {
  receiver = await startReceiver((request) => answers.get(request.path)?.(request, receiver.of(request.path).length) ?? { body: "thanks" });
  gateway = await start({ internet: "real" });
});
after(async () => {
  await gateway?.stop();
  await receiver?.stop();
});

/** A new environment with the webhook sender and one account of it: `{environment, call, sending, subscribe, wave}`. */
async function company() {
  const environment = await newEnvironment(gateway, randomUUID());
  const { call } = environment;
  const sending = await webhookAccount(gateway, environment);
  /** Subscribes a new endpoint: `{…webhook, path}`. */
  async function subscribe(more = {}, answer) {
    const path = `/${randomUUID()}`;
    if (answer) answers.set(path, answer);
    const webhook = ok(await call("POST", "/webhook", { target_url: receiver.url + path, ...more }), 201);
    return { ...webhook, path };
  }
  const wave = (n = 0, type = "wave") => sendEvent(gateway, sending, { type, wave: n });
  return { environment, call, sending, subscribe, wave };
}

/** Waits for the first delivery of an event to a subscription, and checks it. */
async function delivered({ path, secret }, id, seconds) {
  const request = await eventually(() => receiver.of(path).find(({ body }) => body.id === id) ?? assert.fail(`${id} did not come`), seconds);
  assertDelivery(request, { secret });
  return request;
}

/** The state of an event's delivery to a subscription: `{status, attempts, next_attempt_at}`. */
async function deliveryOf(environment, id, webhook) {
  const { deliveries } = await eventDetail(environment, id);
  return deliveries.find(({ webhook_id }) => webhook_id === webhook.id) ?? assert.fail("no such delivery yet");
}
const attemptsOf = async (environment, id, webhook) => (await eventDetail(environment, id)).attempts.filter(({ webhook_id }) => webhook_id === webhook.id);
const attempted = (environment, id, webhook, count = 1, seconds = 20) => eventually(async () => {
  const attempts = await attemptsOf(environment, id, webhook);
  assert.ok(attempts.length >= count, `${attempts.length} attempts of ${count}`);
  return attempts;
}, seconds);
const isSettled = (environment, id, status = "delivered") => eventually(async () => assert.equal((await eventDetail(environment, id)).status, status));

describe("subscriptions", () => {
  test("made, listed, shown, changed, deleted; the secret is shown once and rests sealed", async () => {
    const environment = await newEnvironment(gateway, randomUUID());
    const { call } = environment;
    const { secret, ...made } = ok(await call("POST", "/webhook", { target_url: `${HOST}/hook`, event_types: ["wave", "integrated_account:*"] }), 201);
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
    assert.match(made.id, UUID);
    const { id, created_at, updated_at, ...rest } = made;
    const expected = { environment_id: environment.id, target_url: `${HOST}/hook`, event_types: ["wave", "integrated_account:*"], is_active: true, paused_at: null, failing_since: null };
    assert.deepEqual(rest, expected);
    assert.deepEqual(ok(await call("GET", `/webhook/${id}`), 200), made);
    assert.deepEqual(ok(await call("GET", "/webhook"), 200).result, [made]);
    assert.deepEqual(await gateway.filesHolding(secret.slice("whsec_".length)), []);

    const changed = ok(await call("PATCH", `/webhook/${id}`, { target_url: `${HOST}/other`, event_types: null }), 200);
    assert.deepEqual([changed.target_url, changed.event_types, changed.secret], [`${HOST}/other`, null, undefined]);
    assert.deepEqual(ok(await call("GET", `/webhook/${id}`), 200), changed);

    const stranger = await newEnvironment(gateway, randomUUID());
    await eachCase([["GET", ""], ["PATCH", "", {}], ["DELETE", ""], ["POST", "/rotate-secret"]], async ([method, path, body]) => {
      assertError(await stranger.call(method, `/webhook/${id}${path}`, body), 404, "caller.");
    });
    assert.deepEqual(ok(await stranger.call("GET", "/webhook"), 200).result, []);
    assert.deepEqual(ok(await call("DELETE", `/webhook/${id}`), 200), { id });
    assertError(await call("GET", `/webhook/${id}`), 404, "caller.");
  });

  test("what cannot be is refused, and says what is wrong", async () => {
    const { call } = await newEnvironment(gateway, randomUUID());
    const good = { target_url: `${HOST}/hook` };
    const wrong = [{}, { target_url: 7 }, { target_url: "hook" }, { target_url: "ftp://company.example/" }, { target_url: "https://user:word@company.example/" }, { target_url: `${HOST}/${"a".repeat(2_048)}` },
      { ...good, event_types: "wave" }, { ...good, event_types: [""] }, { ...good, event_types: ["a*b"] }, { ...good, event_types: ["x".repeat(256)] }, { ...good, event_types: Array(101).fill("x") }, { ...good, is_active: "yes" }];
    await eachCase(wrong, async (body) => {
      const answer = await call("POST", "/webhook", body);
      assert.ok([400, 422].includes(answer.status), `${JSON.stringify(body).slice(0, 100)}: ${answer.status}`);
      assertError(answer, answer.status, "caller.");
    });
    assert.deepEqual(ok(await call("GET", "/webhook"), 200).result, []);
  });

  test("who may only read may not write them", async () => {
    const { id, call } = await newEnvironment(gateway, randomUUID());
    const { token } = ok(await gateway.admin("POST", "/api-token", { environment_id: id, name: "reader", scopes: ["read"] }), 201);
    assertError(await gateway.as(token)("POST", "/webhook", { target_url: `${HOST}/` }), 403, "caller.");
    const webhook = ok(await call("POST", "/webhook", { target_url: `${HOST}/` }), 201);
    assert.equal(ok(await gateway.as(token)("GET", `/webhook/${webhook.id}`), 200).secret, undefined);
    assertError(await gateway.as(token)("POST", `/webhook/${webhook.id}/rotate-secret`), 403, "caller.");
  });

  test("targets that are private are refused where the operator has not allowed them", async () => {
    const strict = await start({ vars: { ALLOW_PRIVATE_UPSTREAMS: "false" } });
    try {
      const { call } = await newEnvironment(strict, "strict");
      const targets = ["http://company.example/", "https://127.0.0.1/", "https://localhost/", "https://10.0.0.1/", "https://192.168.1.1/", "https://169.254.169.254/latest", "https://[::1]/", "https://[fd00::1]/",
        "https://[::ffff:127.0.0.1]/", "https://0x7f000001/", "https://2130706433/", "https://127.1/", "https://100.64.0.1/", "https://0.0.0.0/"];
      await eachCase(targets, async (target_url) => {
        const answer = await call("POST", "/webhook", { target_url });
        assert.ok([400, 403, 422].includes(answer.status), `${target_url}: ${answer.status}`);
      });
      const { id } = ok(await call("POST", "/webhook", { target_url: `${HOST}/` }), 201);
      assert.notEqual((await call("PATCH", `/webhook/${id}`, { target_url: "https://10.0.0.1/" })).status, 200);
    } finally {
      await strict.stop();
    }
  });
});

describe("deliveries", () => {
  test("signed, with the id that the sender was answered; the answer is recorded", async () => {
    const { environment, sending, subscribe, wave } = await company();
    const webhook = await subscribe({}, () => ({ status: 202, body: "é".repeat(5_000), delayMs: 50 }));
    const id = await wave(42);
    assertEventId(id, sending.account);
    const { body } = await delivered(webhook, id);
    assert.deepEqual({ event: body.event, payload: body.payload, resource_type: body.resource_type, resource_id: body.resource_id }, { event: "wave", payload: { type: "wave", wave: 42 }, resource_type: "waves", resource_id: "42" });
    assert.deepEqual([body.environment_id, body.integrated_account_id, body.webhook_id], [environment.id, sending.account.id, webhook.id]);

    await isSettled(environment, id);
    const shown = await eventDetail(environment, id);
    assert.deepEqual(shown.payload, { type: "wave", wave: 42 });
    assert.equal(shown.created_at, body.created_at);
    const { status, attempts, next_attempt_at } = await deliveryOf(environment, id, webhook);
    assert.deepEqual({ status, attempts, next_attempt_at }, { status: "delivered", attempts: 1, next_attempt_at: null });
    const [attempt] = shown.attempts;
    assert.deepEqual([attempt.webhook_id, attempt.number, attempt.status, attempt.error], [webhook.id, 1, 202, null]);
    assert.ok(attempt.duration_ms >= 50 && attempt.duration_ms < 5_000, `${attempt.duration_ms}`);
    const bytes = Buffer.byteLength(attempt.body);
    assert.ok(bytes > 4_000 && bytes <= 4_099, `${bytes} bytes of the answer`);
    assert.equal((await attemptsOf(environment, id, webhook)).length, 1);
  });

  test("an answer of bytes that are hardly text is recorded as text", async () => {
    const { environment, subscribe, wave } = await company();
    // NUL, control characters, a byte of no UTF-8, a lone surrogate, a byte order mark, a line separator.
    const bytes = Buffer.concat([Buffer.from("a\0b\u0001\u001f\u007f"), Buffer.from([0xff, 0xed, 0xa0, 0xbd]), Buffer.from("\ufeff\u2028🦀\uffff")]);
    const webhook = await subscribe({}, () => ({ body: bytes }));
    const id = await wave(1);
    await isSettled(environment, id);
    const [attempt] = await attempted(environment, id, webhook);
    assert.equal(attempt.body, bytes.toString());
    await gateway.evict("Account");
    assert.deepEqual(await attemptsOf(environment, id, webhook), [attempt]);
  });

  test("only what was subscribed to: exact names, a trailing *, all", async () => {
    const { subscribe, wave } = await company();
    const [exact, prefixed, all, none] = [await subscribe({ event_types: ["wave"] }), await subscribe({ event_types: ["wave:*"] }), await subscribe({ event_types: null }), await subscribe({ event_types: ["wav"] })];
    const ids = [await wave(1), await wave(2, "wave:high"), await wave(3, "tide")];
    const arrivals = ({ path }) => receiver.of(path).map(({ body }) => body.id).filter((id) => ids.includes(id)).sort();
    await eventually(() => assert.deepEqual(arrivals(all), [...ids].sort()));
    await eventually(() => assert.deepEqual(arrivals(exact), [ids[0]]));
    await eventually(() => assert.deepEqual(arrivals(prefixed), [ids[1]]));
    assert.deepEqual(arrivals(none), []);
  });

  test("an event without a subscription counts as delivered, and a later subscription does not bring it", async () => {
    const { environment, subscribe, wave } = await company();
    const id = await wave(1);
    await isSettled(environment, id);
    const webhook = await subscribe();
    await delivered(webhook, await wave(2));
    assert.deepEqual(receiver.of(webhook.path).filter(({ body }) => body.id === id), []);
  });

  test("a rotated secret: both sign for a day, the old one and the new", async () => {
    const { call, subscribe, wave } = await company();
    const webhook = await subscribe({ event_types: ["wave"] });
    const rotated = ok(await call("POST", `/webhook/${webhook.id}/rotate-secret`), 200);
    assert.notEqual(rotated.secret, webhook.secret);
    assert.match(rotated.secret, /^whsec_/);
    const left = Date.parse(rotated.previous_secret_expires_at) - Date.now();
    assert.ok(Math.abs(left - 86_400_000) < 60_000, `${left} ms`);
    const request = await delivered(webhook, await wave(1));
    assertDelivery(request, rotated);
    assert.equal(request.headers["webhook-signature"].split(" ").length, 2);
    const third = ok(await call("POST", `/webhook/${webhook.id}/rotate-secret`), 200);
    const next = await delivered({ ...webhook, secret: third.secret }, await wave(2));
    assertDelivery(next, rotated);
    assert.throws(() => new Webhook(webhook.secret).verify(next.text, next.headers));
  });

  test("a test event says what came back", async () => {
    const { call, subscribe } = await company();
    const webhook = await subscribe({ event_types: ["wave"] }, ({ body }) => ({ status: body.event === "tide" ? 418 : 204 }));
    const tested = ok(await call("POST", "/webhook/test", { id: webhook.id }), 200);
    assert.equal(tested.status, 204);
    assert.ok(Number.isInteger(tested.duration_ms));
    assert.equal(ok(await call("POST", "/webhook/test", { id: webhook.id, event_type: "tide" }), 200).status, 418);
    for (const request of receiver.of(webhook.path)) new Webhook(webhook.secret).verify(request.text, request.headers);
    assert.equal(receiver.of(webhook.path).length, 2, "a test is not tried again");
    const unserved = ok(await call("POST", "/webhook", { target_url: "http://127.0.0.1:9/" }), 201);
    const failed = ok(await call("POST", "/webhook/test", { id: unserved.id }), 200);
    assert.equal(failed.status, null);
    assert.ok(failed.error.length > 0);
    assertError(await call("POST", "/webhook/test", { id: randomUUID() }), 404, "caller.");
  });

  test("account lifecycle events come the same way, the deletion's too", async () => {
    const { environment, call, sending, subscribe } = await company();
    const webhook = await subscribe({ event_types: ["integrated_account:*"] });
    const { id } = await importAccount(environment, sending.installed, { api_key: "key-1", webhook_secret: "whsec_AAAA", label: "one" });
    ok(await call("PATCH", `/integrated-account/${id}`, { context: { label: "two" } }), 200);
    ok(await call("DELETE", `/integrated-account/${id}`), 200);
    const arrivals = () => receiver.of(webhook.path).filter(({ body }) => body.integrated_account_id === id);
    const named = (kind) => arrivals().find(({ body }) => body.event === `integrated_account:${kind}`) ?? assert.fail(`no ${kind}`);
    await eachCase(["created", "active", "updated", "deleted"], async (kind) => { assertDelivery(await eventually(() => named(kind)), webhook); });
    assert.ok(arrivals().every(({ text }) => !text.includes("key-1") && !text.includes("whsec_AAAA")), "a secret is in an event");
  });

  test("oldest first, one at a time for each subscription; a failed one steps aside", async () => {
    const { subscribe, wave } = await company();
    let open = 0;
    let most = 0;
    const slow = ({ body }, n) => {
      most = Math.max(most, ++open);
      setTimeout(() => (open -= 1), 70);
      return { status: n === 1 ? 500 : 200, delayMs: 80, body: body.id };
    };
    const webhook = await subscribe({ event_types: ["wave"] }, slow);
    const quick = await subscribe({ event_types: ["wave"] });
    const ids = [];
    for (let n = 0; n < 8; n++) ids.push(await wave(n));
    await receiver.came(quick.path, 8);
    const requests = await receiver.came(webhook.path, 9, 15);
    assert.deepEqual(requests.slice(0, 8).map(({ body }) => body.id), ids);
    assert.deepEqual(requests.slice(8).map(({ body }) => body.id), [ids[0]]);
    assert.equal(most, 1);
    assert.equal(new Set(receiver.of(quick.path).map(({ body }) => body.id)).size, 8);
  });

  test("after a failure 5 s and a little; a longer retry-after is honoured, a shorter one does not hurry; redirects are not followed", async () => {
    const { environment, subscribe, wave } = await company();
    const failing = (answer) => subscribe({ event_types: ["wave"] }, (_, n) => (n === 1 ? answer : {}));
    const elsewhere = `/${randomUUID()}`;
    const [plain, longer, shorter, date, redirect] = [
      await failing({ status: 500 }),
      await failing({ status: 429, headers: { "retry-after": "9" } }),
      await failing({ status: 503, headers: { "retry-after": "1" } }),
      await failing({ status: 503, headers: { "retry-after": new Date(Date.now() + 14_000).toUTCString() } }),
      await failing({ status: 302, headers: { location: receiver.url + elsewhere } }),
    ];
    const id = await wave(1);
    await eachCase([[plain, 500, 5, 6], [longer, 429, 9, 11], [shorter, 503, 5, 6], [date, 503, 9, 15], [redirect, 302, 5, 6]], async ([webhook, status, from, to]) => {
      const [attempt] = await attempted(environment, id, webhook);
      assert.deepEqual([attempt.number, attempt.status], [1, status]);
      const [first, second] = await receiver.came(webhook.path, 2, to + 10);
      const waited = (second.at - first.at) / 1_000;
      assert.ok(waited > from - 0.1 && waited < to + 2.5, `${status}: again after ${waited} s`);
      assert.equal(second.headers["webhook-id"], id);
      assertDelivery(second, webhook);
    });
    assert.deepEqual(receiver.of(elsewhere), []);
    await isSettled(environment, id);
  });

  test("an endpoint that says nothing is given 15 s, one without a server is tried again", async () => {
    const { environment, call, subscribe, wave } = await company();
    const silent = await subscribe({ event_types: ["wave"] }, (_, n) => (n === 1 ? "silent" : {}));
    const unserved = ok(await call("POST", "/webhook", { target_url: "http://127.0.0.1:9/", event_types: ["wave"] }), 201);
    const id = await wave(1);
    const [refused] = await attempted(environment, id, unserved);
    const [late] = await attempted(environment, id, silent, 1, 25);
    await eachCase([refused, late], (attempt) => {
      assert.equal(attempt.status, null);
      assert.ok(attempt.error.length > 0);
    });
    assert.ok(late.duration_ms > 14_500 && late.duration_ms < 17_000, `${late.duration_ms} ms`);
    const [first, second] = await receiver.came(silent.path, 2, 15);
    assert.ok(second.at - first.at > 19_500, "15 s and 5 s");
    assert.equal((await deliveryOf(environment, id, unserved)).status, "pending");
    assert.ok(Date.parse((await deliveryOf(environment, id, unserved)).next_attempt_at) > Date.now() - 60_000);
    ok(await call("DELETE", `/webhook/${unserved.id}`), 200);
    // What it still had coming ends when it would have been tried.
    await gateway.restart({ late: true });
    await isSettled(environment, id);
  });

  test("while a subscription is paused its events wait, and then they go", async () => {
    const { environment, call, subscribe, wave } = await company();
    const webhook = await subscribe({ event_types: ["wave"] });
    const paused = ok(await call("PATCH", `/webhook/${webhook.id}`, { is_active: false }), 200);
    assert.equal(paused.is_active, false);
    assert.ok(Date.parse(paused.paused_at) > Date.now() - 60_000);
    const ids = [await wave(1), await wave(2)];
    await sleep(2_000);
    assert.deepEqual(receiver.of(webhook.path), []);
    await eachCase(ids, async (id) => assert.equal((await eventDetail(environment, id)).status, "pending"));
    const resumed = ok(await call("PATCH", `/webhook/${webhook.id}`, { is_active: true }), 200);
    assert.deepEqual([resumed.is_active, resumed.paused_at], [true, null]);
    const requests = await receiver.came(webhook.path, 2);
    assert.deepEqual(requests.map(({ body }) => body.id), ids);
    for (const id of ids) await isSettled(environment, id);
  });

  test("the object leaves memory, the runtime is killed: what waits still goes", async () => {
    const { environment, subscribe, wave } = await company();
    const webhook = await subscribe({ event_types: ["wave"] }, (_, n) => ({ status: n < 3 ? 500 : 200 }));
    const id = await wave(1);
    // An attempt is stored after its answer: until then a kill would leave no row of it.
    await attempted(environment, id, webhook, 1);
    await gateway.evict("Account");
    await attempted(environment, id, webhook, 2);
    await gateway.restart({ late: true });
    assertDelivery((await receiver.came(webhook.path, 3))[2], webhook);
    await isSettled(environment, id);
    assert.deepEqual((await attemptsOf(environment, id, webhook)).map(({ number, status }) => [number, status]), [[1, 500], [2, 500], [3, 200]]);
  });

  test("the runtime is killed before the answer came: the delivery goes again, the attempt counts but is not listed", async () => {
    const { environment, subscribe, wave } = await company();
    const webhook = await subscribe({ event_types: ["wave"] }, (_, n) => ({ status: n < 3 ? 500 : 200, delayMs: n === 2 ? 3_000 : 0 }));
    const id = await wave(1);
    await attempted(environment, id, webhook, 1);
    await receiver.came(webhook.path, 2, 12);
    await gateway.restart({ late: true });
    const [, second, third] = await receiver.came(webhook.path, 3);
    assertDelivery(third, webhook);
    assert.deepEqual(third.body, second.body);
    await isSettled(environment, id);
    assert.deepEqual((await attemptsOf(environment, id, webhook)).map(({ number, status }) => [number, status]), [[1, 500], [3, 200]]);
  });
});

describe("replay", () => {
  test("one event, with the id it had", async () => {
    const { environment, call, subscribe, wave } = await company();
    const webhook = await subscribe({ event_types: ["wave"] });
    const id = await wave(1);
    const first = await delivered(webhook, id);
    await isSettled(environment, id);
    assert.deepEqual(ok(await call("POST", `/event/${id}/replay`), 200), { id });
    const [, second] = await receiver.came(webhook.path, 2);
    assertDelivery(second, webhook);
    assert.deepEqual(second.body, first.body);
    assertError(await call("POST", `/event/${id.slice(0, -16)}${"0".repeat(16)}/replay`), 404, "caller.");
  });

  test("after the last try an event is failed, found in its environment, and goes out when it is replayed in bulk", async () => {
    const { environment, call, sending, subscribe, wave } = await company();
    let works = false;
    const webhook = await subscribe({ event_types: ["wave"] }, () => ({ status: works ? 200 : 500 }));
    const from = new Date(Date.now() - 1_000).toISOString();
    const ids = [await wave(1), await wave(2)];
    for (let attempt = 1; attempt <= 10; attempt++) {
      for (const id of ids) await attempted(environment, id, webhook, attempt);
      if (attempt < 10) await gateway.restart({ late: true });
    }
    for (const id of ids) await isSettled(environment, id, "failed");
    assert.equal((await deliveryOf(environment, ids[0], webhook)).status, "failed");
    const failed = () => call("GET", `/event?webhook_id=${webhook.id}`).then((answer) => ok(answer, 200).result.map(({ id }) => id).sort());
    await eventually(async () => assert.deepEqual(await failed(), [...ids].sort()));
    assert.deepEqual((await received(environment, sending.account, { status: "failed" })).map(({ id }) => id).sort(), [...ids].sort());

    works = true;
    const to = () => new Date(Date.now() + 1_000).toISOString();
    assert.deepEqual(ok(await call("POST", "/event/replay", { webhook_id: webhook.id, from: "2020-01-01T00:00:00.000Z", to: from }), 200), { replayed: 0 });
    assert.deepEqual(ok(await call("POST", "/event/replay", { webhook_id: webhook.id, from, to: to() }), 200), { replayed: 2 });
    for (const id of ids) await isSettled(environment, id);
    await eventually(async () => assert.deepEqual(await failed(), []));
    assertError(await call("POST", "/event/replay", { webhook_id: webhook.id, from }), 422, "caller.");
  });

  test("a transform that fails keeps the request, which is read again when the file is mended", async () => {
    const environment = await newEnvironment(gateway, randomUUID());
    const { call } = environment;
    const name = `broken-${randomUUID().slice(0, 8)}`;
    let working;
    const sending = await webhookAccount(gateway, environment, {
      name,
      change(webhook) {
        working = webhook.payload_transform;
        webhook.payload_transform = '$error("the file is wrong")';
      },
    });
    const path = `/${randomUUID()}`;
    const webhook = { ...ok(await call("POST", "/webhook", { target_url: receiver.url + path, event_types: ["wave", "webhook:received"] }), 201), path };
    const from = new Date(Date.now() - 1_000).toISOString();
    const ids = [await sendEvent(gateway, sending, { type: "wave", wave: 1 }), await sendEvent(gateway, sending, { type: "wave", wave: 2 })];
    await eachCase(ids, async (id) => {
      const kept = await eventDetail(environment, id);
      assert.deepEqual([kept.event, kept.status, kept.payload, kept.last_error.code], ["webhook:received", "failed", null, "integration.transform_failed"]);
    });
    assert.deepEqual((await received(environment, sending.account, { status: "failed" })).length, 2);
    await sleep(1_000);
    assert.deepEqual(receiver.of(path), [], "what could not be read is not delivered");

    sending.file.config.webhook.payload_transform = working;
    ok(await gateway.admin("PUT", `/integration/${name}`, sending.file), 200);
    ok(await call("POST", `/event/${ids[0]}/replay`), 200);
    const [first] = await receiver.came(path, 1);
    assertDelivery(first, webhook);
    assert.deepEqual([first.body.event, first.body.payload], ["wave", { type: "wave", wave: 1 }]);
    const to = new Date(Date.now() + 1_000).toISOString();
    assert.deepEqual(ok(await call("POST", "/event/replay", { integrated_account_id: sending.account.id, from, to }), 200), { replayed: 1 });
    const [, second] = await receiver.came(path, 2);
    assert.equal(second.body.payload.wave, 2);
    await eventually(async () => assert.deepEqual(await received(environment, sending.account, { status: "failed" }), []));
  });
});

describe("looking", () => {
  test("an account's events, newest first, by status, name and time, in pages", async () => {
    const { environment, call, sending, wave } = await company();
    const ids = [];
    for (let n = 0; n < 5; n++) {
      ids.push(await wave(n, n % 2 ? "tide" : "wave"));
      await sleep(5);
    }
    const all = await received(environment, sending.account);
    assert.deepEqual(all.map(({ id }) => id), ids.toReversed());
    assert.deepEqual((await received(environment, sending.account, { event: "tide" })).map(({ id }) => id), [ids[3], ids[1]]);
    assert.deepEqual((await received(environment, sending.account, { "created_at[gt]": all[2].created_at })).map(({ id }) => id), [ids[4], ids[3]]);
    assert.deepEqual(await received(environment, sending.account, { status: "failed" }), []);
    const page = (query) => call("GET", `/event?integrated_account_id=${sending.account.id}&limit=2&event=wave${query}`).then((answer) => ok(answer, 200));
    const first = await page("");
    const second = await page(`&next_cursor=${encodeURIComponent(first.next_cursor)}`);
    assert.deepEqual([...first.result, ...second.result].map(({ id }) => id), [ids[4], ids[2], ids[0]]);
    assert.equal(second.next_cursor, null);
    assertError(await call("GET", "/event?status=delivered"), 422, "caller.");
  });

  test("no other environment sees them", async () => {
    const { sending, wave } = await company();
    const id = await wave(1);
    const stranger = await newEnvironment(gateway, randomUUID());
    assertError(await stranger.call("GET", `/event/${id}`), 404, "caller.");
    assertError(await stranger.call("POST", `/event/${id}/replay`), 404, "caller.");
    assertError(await stranger.call("GET", `/event?integrated_account_id=${sending.account.id}`), 404, "caller.");
    const to = new Date().toISOString();
    assertError(await stranger.call("POST", "/event/replay", { integrated_account_id: sending.account.id, from: "2020-01-01T00:00:00.000Z", to }), 404, "caller.");
  });
});

// Last: the gateway is another one afterwards.
test("a private target of before is not called any more once the operator forbids it", async () => {
  const { environment, sending, subscribe, wave } = await company();
  const webhook = await subscribe({ event_types: ["wave"] });
  await delivered(webhook, await wave(1));
  await gateway.restart({ vars: { ALLOW_PRIVATE_UPSTREAMS: "false" } });
  const id = await wave(2);
  const [attempt] = await attempted(environment, id, webhook);
  assert.equal(attempt.status, null);
  assert.ok(attempt.error.length > 0);
  assert.equal(receiver.of(webhook.path).length, 1);
  assert.equal((await eventsOf(environment, sending.account, { status: "pending", event: "wave" })).length, 1);
});
