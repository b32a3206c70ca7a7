// Tokens kept fresh, against a provider that rotates refresh tokens and ends the grant when an old one comes again:
// two refreshes where one should be show as a dead account.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eachCase } from "./cases.mjs";
import { callThings, eventNamesOf, importOauthAccount, installOauth, startOauth } from "./oauth-accounts.mjs";
import { CLIENTS } from "./provider.mjs";
import { assertError, importAccount, ok, untilTrue } from "./steps.mjs";

const CALLERS = 200;

let provider, gateway, environment, installed, stop;
before(async () => ({ provider, gateway, environment, installed, stop } = await startOauth()));
after(() => stop?.());
beforeEach(() => {
  provider.answerNextTokenRequests();
  Object.assign(provider.settings, { accessTokenTtl: 3_600, rotates: true, hides: [] });
});

/** Counting starts after the import, whose exchange is ours. */
async function account(options) {
  const made = await importOauthAccount(environment, installed, provider, options);
  provider.received.length = 0;
  return made;
}
async function expired() {
  const of = await account({ endsIn: -60 });
  await provider.endAccessToken(of.token.access_token);
  return of;
}
const statusOf = async ({ id }) => ok(await environment.call("GET", `/integrated-account/${id}`), 200).status;

/** Many calls at once: how many of each status were answered. */
async function callers(of, count = CALLERS) {
  const answers = await Promise.all(Array.from({ length: count }, () => callThings(environment, of)));
  return answers.reduce((counted, { status }) => ({ ...counted, [status]: (counted[status] ?? 0) + 1 }), {});
}

/** Works, or needs_reauth and says so: never in between. Returns which. */
async function settled(of) {
  const answer = await callThings(environment, of);
  if (answer.status === 200) {
    assert.equal(await statusOf(of), "active");
    assert.deepEqual(await callers(of, 10), { 200: 10 });
    return "works";
  }
  assertError(answer, 401, "account.needs_reauth");
  assert.equal(await statusOf(of), "needs_reauth");
  const asked = provider.counts().tokenRequests;
  assert.deepEqual(await callers(of, 10), { 401: 10 });
  assert.equal(provider.counts().tokenRequests, asked, "a dead account asks no more");
  return "needs_reauth";
}

describe(`${CALLERS} calls at once on an expired token`, () => {
  test("one refresh, all answered", async () => {
    const of = await expired();
    assert.deepEqual(await callers(of), { 200: CALLERS });
    assert.equal(provider.counts().refreshes, 1);
    assert.equal(provider.counts().tokenRequests, 1);
    assert.equal(provider.counts().apiRefusals, 0);
    assert.equal(await settled(of), "works");
  });

  test("the refresh answered after 2 s", async () => {
    const of = await expired();
    provider.answerNextTokenRequests({ granted: 2_000 });
    assert.deepEqual(await callers(of), { 200: CALLERS });
    assert.equal(provider.counts().tokenRequests, 1);
  });

  test("the first refresh answered by 503", async () => {
    const of = await expired();
    provider.answerNextTokenRequests("unavailable");
    assert.deepEqual(await callers(of), { 200: CALLERS });
    assert.deepEqual([provider.counts().refreshes, provider.counts().tokenRequests], [1, 2]);
  });

  test("the first caller, who began the refresh, leaves in the middle", async () => {
    const of = await expired();
    provider.answerNextTokenRequests({ granted: 1_500 });
    const granted = provider.next("granted");
    const leaving = new AbortController();
    const headers = { authorization: `Bearer ${environment.token}` };
    const first = gateway.fetch(`/proxy/things/thing-1?integrated_account_id=${of.id}`, { headers, signal: leaving.signal });
    await granted;
    const others = callers(of, CALLERS - 1);
    leaving.abort();
    await assert.rejects(first, { name: "AbortError" });
    assert.deepEqual(await others, { 200: CALLERS - 1 });
    assert.equal(provider.counts().tokenRequests, 1);
    assert.equal(await settled(of), "works");
  });

  test("every caller leaves in the middle: the rotated token is kept all the same", async () => {
    const of = await expired();
    provider.answerNextTokenRequests({ granted: 500 });
    const granted = provider.next("granted");
    const leaving = new AbortController();
    const call = gateway.fetch(`/proxy/things?integrated_account_id=${of.id}`, { headers: { authorization: `Bearer ${environment.token}` }, signal: leaving.signal });
    await granted;
    leaving.abort();
    await assert.rejects(call);
    await sleep(1_000);
    assert.equal(await settled(of), "works");
    assert.equal(provider.counts().tokenRequests, 1);
  });

  test("the object leaves memory afterwards: no second refresh", async () => {
    const of = await expired();
    ok(await callThings(environment, of), 200);
    await gateway.evict("Account");
    assert.deepEqual(await callers(of, 20), { 200: 20 });
    assert.equal(provider.counts().tokenRequests, 1);
  });
});

describe("what providers do", () => {
  test("invalid_grant: one request, every caller gets the error, one event, and no request ever after", async () => {
    const of = await expired();
    await provider.revokeAll();
    assert.deepEqual(await callers(of), { 401: CALLERS });
    assert.equal(provider.counts().tokenRequests, 1);
    assert.equal(await settled(of), "needs_reauth");
    const { last_error } = ok(await environment.call("GET", `/integrated-account/${of.id}`), 200);
    assert.match(JSON.stringify(last_error), /invalid_grant/);
    const events = await eventNamesOf(gateway, of);
    assert.equal(events.filter((event) => event === "authentication_error").length, 1);
  });

  test("503 again and again: the callers hear 503 with retry-after, and the account stays active", async () => {
    const of = await expired();
    provider.answerNextTokenRequests(...Array(50).fill("unavailable"));
    const answer = await callThings(environment, of);
    assert.equal(answer.status, 503);
    assert.ok(Number(answer.headers.get("retry-after")) > 0);
    assert.ok(provider.counts().tokenRequests <= 4, "backed off");
    assert.equal(await statusOf(of), "active");
    provider.answerNextTokenRequests();
    await untilTrue(async () => (await callThings(environment, of)).status === 200);
  });

  test("503 while the old token is still valid: no caller notices", async () => {
    const of = await account({ endsIn: 60 });
    provider.answerNextTokenRequests(...Array(50).fill("unavailable"));
    assert.deepEqual(await callers(of, 10), { 200: 10 });
    assert.ok(provider.counts().tokenRequests > 0);
    assert.equal(await statusOf(of), "active");
  });

  test("an answer lost after the grant: needs_reauth, since the new refresh token is lost with it", async () => {
    const of = await expired();
    provider.answerNextTokenRequests("dropped");
    await callers(of, 10);
    assert.equal(await settled(of), "needs_reauth");
  });

  test("a provider that never answers holds no caller longer than it asked for", async () => {
    const of = await expired();
    provider.answerNextTokenRequests("silent");
    const began = Date.now();
    const { status } = await environment.call("GET", `/proxy/things?integrated_account_id=${of.id}`, undefined, { "x-timeout-ms": "2000" });
    assert.ok([503, 504].includes(status), `${status}`);
    assert.ok(Date.now() - began < 10_000);
    assert.equal(await statusOf(of), "active");
  });

  test("an access token that ended early: a 401 refreshes once and is sent once more", async () => {
    const of = await account();
    await provider.endAccessToken(of.token.access_token);
    assert.equal(ok(await callThings(environment, of), 200).name, "lamp");
    const { refreshes, apiRefusals, apiAnswers } = provider.counts();
    assert.deepEqual({ refreshes, apiRefusals, apiAnswers }, { refreshes: 1, apiRefusals: 1, apiAnswers: 1 });
  });

  test("the same with many callers: still one refresh", async () => {
    const of = await account();
    await provider.endAccessToken(of.token.access_token);
    assert.deepEqual(await callers(of), { 200: CALLERS });
    assert.equal(provider.counts().tokenRequests, 1);
  });

  test("no new refresh token in the answer: the old one is kept", async () => {
    const of = await expired();
    Object.assign(provider.settings, { rotates: false, hides: ["refresh_token"] });
    ok(await callThings(environment, of), 200);
    await eachCase(["once", "twice"], async (_) => ok(await environment.call("POST", "/integrated-account/refresh-credentials", { id: of.id }), 200));
    assert.equal(provider.counts().refreshes, 3);
    assert.equal(await settled(of), "works");
  });

  test("client credentials are granted again, once", async () => {
    const machines = await installOauth(gateway, environment, provider, "rotating-oauth-machine");
    const { client_id, client_secret } = CLIENTS.machine;
    const token = { access_token: "long-gone", token_type: "Bearer", expires_at: new Date(Date.now() - 60_000).toISOString() };
    const context = { beacon: "north", client_id, client_secret, oauth: { token } };
    const of = await importAccount(environment, machines, context, { authentication_method: "oauth2_client_credentials" });
    provider.received.length = 0;
    assert.deepEqual(await callers(of, 50), { 200: 50 });
    assert.equal(provider.counts().clientCredentials, 1);
    assert.equal(provider.counts().tokenRequests, 1);
  });

  test("an account in use is refreshed before its token ends, without a call", async () => {
    provider.settings.accessTokenTtl = 5;
    const of = await account();
    ok(await callThings(environment, of), 200);
    await untilTrue(() => provider.counts().refreshes > 0);
    assert.equal(provider.counts().apiRefusals, 0);
    assert.equal(await settled(of), "works");
    // Else its alarm goes on, and is counted for the tests that follow.
    ok(await environment.call("DELETE", `/integrated-account/${of.id}`), 200);
  });
});

describe("SIGKILL while a refresh is under way", () => {
  test("before the provider granted: the old refresh token still works", async () => {
    const of = await expired();
    provider.answerNextTokenRequests("silent");
    const arrived = provider.next("arrived");
    const lost = callers(of, 20).catch((error) => error);
    await arrived;
    await gateway.restart();
    assert.ok((await lost) instanceof Error);
    assert.equal(await settled(of), "works");
    assert.equal(provider.counts().refreshes, 1);
  });

  test("after it granted and before it answered: needs_reauth, since the new token is lost", async () => {
    const of = await expired();
    provider.answerNextTokenRequests({ granted: 60_000 });
    const granted = provider.next("granted");
    const lost = callers(of, 20).catch((error) => error);
    await granted;
    await gateway.restart();
    assert.ok((await lost) instanceof Error);
    assert.equal(await settled(of), "needs_reauth");
  });

  // Either end is right after one kill, and which one depends on the machine. After many, both must have been seen.
  const ends = {};
  for (const delay of [0, 2, 5, 10, 20, 50, 500]) {
    test(`${delay} ms after it answered: works or needs_reauth`, async () => {
      const of = await expired();
      const granted = provider.next("granted");
      const lost = callers(of, 20).catch((error) => error);
      await granted;
      await sleep(delay);
      await gateway.restart();
      await lost;
      ends[delay] = await settled(of);
    });
  }
  test("a token that was stored in time works, one that was not needs_reauth", (t) => {
    t.diagnostic(JSON.stringify(ends));
    const counted = Object.values(ends);
    assert.ok(counted.includes("works"), `no stored token was used: ${JSON.stringify(ends)}`);
    assert.ok(counted.includes("needs_reauth"), `no lost token was noticed: ${JSON.stringify(ends)}`);
  });

  test("after a caller had its answer: the new token is stored, and used", async () => {
    const of = await expired();
    ok(await callThings(environment, of), 200);
    await gateway.restart();
    assert.equal(await settled(of), "works");
    assert.equal(provider.counts().tokenRequests, 1);
  });
});
