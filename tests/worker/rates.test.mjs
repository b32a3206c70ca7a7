// Limits in the real runtime: the platform's limiter, real waits, one account's pace for all its callers.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { assertError, apiKeyAccount, ok } from "./steps.mjs";

const json = (text, init) => new Response(text, { headers: { "content-type": "application/json", ...init?.headers }, status: init?.status });

/** A gateway with one account at a provider that answers as `provider.answers` says. */
async function withOneAccount(options) {
  const provider = { answers: () => json("{}") };
  const gateway = await start({ internet: (request) => provider.answers(request), ...options });
  const { environment, account } = await apiKeyAccount(gateway, "key");
  const call = (path, headers) => environment.call("GET", `${path}?integrated_account_id=${account.id}`, undefined, headers);
  return { provider, gateway, environment, account, call };
}

describe("retries", () => {
  let port;
  before(async () => (port = await withOneAccount({})));
  after(() => port.gateway.stop());

  test("a provider that is down for a moment is asked again, signed in each time", async () => {
    const keys = [];
    port.provider.answers = (request) => {
      keys.push(request.headers.get("x-key"));
      return keys.length < 3 ? new Response("down", { status: 503 }) : json('{"id":1}');
    };
    const began = Date.now();
    assert.deepEqual(ok(await port.call("/proxy/ships/1"), 200), { id: 1 });
    assert.deepEqual(keys, ["key", "key", "key"]);
    assert.ok(Date.now() - began >= 700, "half a second, then one, less what chance takes");
  });

  test("what is left and how long to wait is normalised, also where the body streams through", async () => {
    port.provider.answers = () => new Response("slow", { status: 429, headers: { "retry-after": new Date(Date.now() + 45_500).toUTCString() } });
    const limited = await port.call("/proxy/ships/1");
    assertError(limited, 429, "provider.rate_limited");
    assert.ok([44, 45, 46].includes(Number(limited.headers.get("retry-after"))), limited.headers.get("retry-after"));

    const { provider, gateway, call } = await withOneAccount({});
    provider.answers = () => json("{}", { headers: { "x-ratelimit-limit": "9", "x-ratelimit-remaining": "8", "x-ratelimit-reset": String(Math.ceil(Date.now() / 1000) + 20) } });
    const { headers } = await call("/custom/x");
    assert.deepEqual([headers.get("ratelimit-limit"), headers.get("ratelimit-remaining")], ["9", "8"]);
    assert.ok([20, 21].includes(Number(headers.get("ratelimit-reset"))), headers.get("ratelimit-reset"));
    await gateway.stop();
  });
});

test("all callers of an account share its rate; a call that cannot wait gets the time", async () => {
  const { gateway, environment, account, call } = await withOneAccount({ vars: { ACCOUNT_RATE: "3" } });
  const made = ok(await environment.call("POST", "/integrated-account/token", { integrated_account_id: account.id }), 201);
  const other = gateway.as(made.integrated_account_token);
  const hasty = { "x-timeout-ms": "3000" };
  const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => (n % 2 ? call("/custom/x", hasty) : other("GET", "/custom/x", undefined, hasty))));
  const late = answers.filter(({ status }) => status !== 200);
  assert.equal(late.length, 3);
  await eachCase(late, (answer) => {
    assertError(answer, 429, "caller.rate_limited");
    assert.ok(Number(answer.headers.get("retry-after")) >= 9);
  });
  const began = Date.now();
  ok(await call("/custom/x"), 200);
  assert.ok(Date.now() - began > 5_000, "it waited for its reservation");
  await gateway.stop();
});

test("a token's rate is counted by the platform, each token for itself", async () => {
  const { gateway, environment } = await withOneAccount({ tokenRate: 10 });
  // The limiter's windows are the clock's: the calls fall into two at most.
  const answers = await Promise.all(Array.from({ length: 40 }, () => environment.call("GET", "/integrated-account")));
  const refused = answers.filter(({ status }) => status === 429);
  assert.ok(refused.length >= 20 && refused.length <= 35, `${refused.length} of 40`);
  await eachCase(refused, (answer) => {
    assertError(answer, 429, "caller.rate_limited");
    assert.equal(answer.headers.get("retry-after"), "10");
  });
  assert.notEqual((await gateway.admin("GET", "/integration")).status, 401);
  assert.equal((await gateway.fetch("/health")).status, 200);
  assert.ok(!gateway.logs.some(({ message }) => message.includes("token_rate_failed")));
  await gateway.stop();
});
