// What is sent again and what is not, how long a call waits for a provider that is busy, and what the caller gets.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eachCase } from "./cases.mjs";
import { assertError, ok } from "./steps.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";

const HARBOUR_LIMITS = {
  retry_after_header_expression: "$exists(headers.`retry-after`) ? headers.`retry-after` : $exists(headers.`x-wait`) ? $number(headers.`x-wait`) : headers.`x-wait-until`",
  rate_limit_header_expression:
    '$exists(headers.`x-limit`) ? { "limit": $number(headers.`x-limit`), "remaining": $number(headers.`x-left`), "reset": $exists(headers.`x-reset`) ? $number(headers.`x-reset`) : headers.`x-reset-at` }',
};

let scripted;
before(async () => {
  const ships = {
    list: { path: "/ships", response_path: "data" },
    get: { path: "/ships/{{id}}" },
    create: { method: "post", path: "/ships" },
    update: { method: "put", path: "/ships/{{id}}" },
    change: { method: "patch", path: "/ships" },
    delete: { method: "delete", path: "/ships/{{id}}" },
  };
  scripted = await startScriptedProvider({ config: { rate_limit: HARBOUR_LIMITS, resources: { ships } } });
});
after(() => scripted?.stop());
beforeEach(() => scripted.clear());

const call = (...request) => scripted.call(...request);
/** These answers, one after the other; then 200. */
const answers = (path, ...said) => scripted.answers.set(path, (_, n) => said[n - 1] ?? { body: { data: [] } });
const status = (code, headers) => ({ status: code, headers, body: { message: `${code}` } });
/** How long it took, in ms, with the answer. */
async function timed(...request) {
  const began = Date.now();
  return { ...(await call(...request)), took: Date.now() - began };
}

describe("a read", () => {
  for (const fault of [status(502), status(503), status(504), "dropped"]) {
    test(`${fault.status ?? fault} twice, then 200: asked three times`, async () => {
      answers("/ships/1", fault, fault);
      ok(await call("GET", "/proxy/ships/1"), 200);
      assert.equal(scripted.requests.length, 3);
    });
  }

  test("three times 503 is the provider's 503, after two retries", async () => {
    answers("/ships/1", ...Array(9).fill(status(503)));
    const error = assertError(await call("GET", "/proxy/ships/1"), 503, "provider.failed");
    assert.deepEqual(error.raw_response, { message: "503" });
    assert.equal(scripted.requests.length, 3);
  });

  test("a list, /custom and HEAD are reads, too", async () => {
    await eachCase([["GET", "/proxy/ships", "/ships"], ["GET", "/custom/ships", "/ships"], ["HEAD", "/custom/ships", "/ships"]], async ([method, path, to]) => {
      scripted.clear();
      answers(to, status(503));
      assert.equal((await call(method, path)).status, 200);
      assert.equal(scripted.requests.length, 2, `${method} ${path}`);
    });
  });

  for (const code of [400, 401, 404, 409, 500, 501, 505]) {
    test(`${code} is not asked for again`, async () => {
      answers("/ships/1", ...Array(3).fill(status(code)));
      assert.equal((await call("GET", "/proxy/ships/1")).status, code);
      assert.equal(scripted.requests.length, 1);
      // A refused credential ends an account without a refresh.
      if (code === 401) scripted.account = await scripted.another();
    });
  }

  test("x-max-retries says how often", async () => {
    await eachCase([["0", 1], ["1", 2], ["4", 5]], async ([most, asked]) => {
      scripted.clear();
      answers("/ships/1", ...Array(9).fill(status(503, { "retry-after": "0" })));
      assertError(await call("GET", "/proxy/ships/1", undefined, { "x-max-retries": most }), 503, "provider.failed");
      assert.equal(scripted.requests.length, asked, most);
    });
    await eachCase(["-1", "many", "1.5"], async (odd) => { assertError(await call("GET", "/proxy/ships/1", undefined, { "x-max-retries": odd }), 400, "caller.malformed"); });
  });

  test("the retries end when the caller's time does", async () => {
    scripted.answers.set("/ships/1", () => status(503));
    const { took, status: answered } = await timed("GET", "/proxy/ships/1", undefined, { "x-timeout-ms": "2000", "x-max-retries": "5" });
    assert.ok([503, 504].includes(answered));
    assert.ok(took < 8_000, `${took} ms`);
    assert.ok(scripted.requests.length > 1);
  });

  test("a retry carries the same request, and a request id of ours is never doubled", async () => {
    answers("/ships", status(503));
    const { headers } = await call("GET", "/proxy/ships?flag=a&flag=b&limit=5", undefined, { "x-forward-x-team": "blue", "if-none-match": '"e"' });
    const [first, second] = scripted.requests;
    assert.equal(second.url, first.url);
    await eachCase(["x-key", "x-team", "if-none-match", "user-agent"], (name) => assert.equal(second.headers[name], first.headers[name], name));
    assert.ok(headers.get("x-request-id").length > 0 && !headers.get("x-request-id").includes(","));
  });
});

describe("a write", () => {
  const writes = { POST: "/proxy/ships", PUT: "/proxy/ships/1", DELETE: "/proxy/ships/1" };
  for (const [method, path] of Object.entries(writes)) {
    for (const fault of [status(503), "dropped", status(429, { "retry-after": "0" })]) {
      test(`${method} is not sent again by itself: ${fault.status ?? fault}`, async () => {
        answers("/ships", fault);
        answers("/ships/1", fault);
        const { status: answered } = await call(method, path, method === "DELETE" ? undefined : { name: "Fram" });
        assert.equal(answered, fault.status ?? 502);
        assert.equal(scripted.requests.length, 1);
      });
    }
  }

  test("PUT and DELETE are, when their caller asks for it, with the same body; POST and PATCH never", async () => {
    const headers = { "x-max-retries": "2" };
    answers("/ships/1", status(503), "dropped");
    ok(await call("PUT", "/proxy/ships/1", { name: "Fram" }, headers), 200);
    assert.deepEqual(scripted.requests.map(({ body }) => body.toString()), Array(3).fill('{"name":"Fram"}'));
    await eachCase([["DELETE", "/proxy/ships/1", "/ships/1", 2], ["POST", "/proxy/ships", "/ships", 1], ["POST", "/proxy/ships/change", "/ships", 1]], async ([method, path, to, asked]) => {
      scripted.clear();
      answers(to, status(503));
      await call(method, path, method === "DELETE" ? undefined : {}, headers);
      assert.equal(scripted.requests.length, asked, path);
    });
  });

  test("a body that was streamed, or has more than 64 KiB, is sent once", async () => {
    await eachCase(["x".repeat(64 * 1024 + 1), ReadableStream.from([Buffer.from("short")])], async (body) => {
      scripted.clear();
      answers("/ships/1", status(503));
      assert.equal((await call("PUT", "/proxy/ships/1", body, { "x-max-retries": "2" })).status, 503);
      assert.equal(scripted.requests.length, 1);
    });
    scripted.clear();
    answers("/ships/1", status(503));
    ok(await call("PUT", "/proxy/ships/1", "x".repeat(64 * 1024), { "x-max-retries": "2" }), 200);
  });
});

describe("a provider that is busy (429)", () => {
  test("whose wait fits is waited for", async () => {
    answers("/ships/1", status(429, { "retry-after": "1" }));
    const answer = await timed("GET", "/proxy/ships/1");
    ok(answer, 200);
    assert.ok(answer.took >= 950 && answer.took < 10_000, `${answer.took} ms`);
    assert.equal(scripted.requests.length, 2);
  });

  test("whose wait does not fit is reported at once, with what it asks for", async () => {
    const later = await scripted.another();
    answers("/ships/1", ...Array(3).fill(status(429, { "retry-after": "60" })));
    const answer = await timed("GET", "/proxy/ships/1", undefined, { "x-timeout-ms": "5000" }, { account: later });
    const error = assertError(answer, 429, "provider.rate_limited");
    assert.equal(error.is_remote_error, true);
    assert.equal(answer.headers.get("retry-after"), "60");
    assert.ok(answer.took < 5_000, `${answer.took} ms`);
    assert.equal(scripted.requests.length, 1);
  });

  const seconds = (of) => of / 1_000;
  const waits = {
    "seconds": () => ({ "retry-after": "7" }),
    "an HTTP date": () => ({ "retry-after": new Date(Date.now() + 7_000).toUTCString() }),
    "seconds of another header": () => ({ "x-wait": "7" }),
    "epoch seconds": () => ({ "x-wait-until": String(Math.ceil(seconds(Date.now() + 7_000))) }),
    "epoch milliseconds": () => ({ "x-wait-until": String(Date.now() + 7_000) }),
    "ISO 8601": () => ({ "x-wait-until": new Date(Date.now() + 7_000).toISOString() }),
  };
  for (const [form, headers] of Object.entries(waits)) {
    test(`who says it as ${form}`, async () => {
      const account = await scripted.another();
      scripted.answers.set("/ships/1", () => status(429, headers()));
      const answer = await call("GET", "/proxy/ships/1", undefined, { "x-timeout-ms": "3000" }, { account });
      assertError(answer, 429, "provider.rate_limited");
      const wait = Number(answer.headers.get("retry-after"));
      assert.ok(wait >= 5 && wait <= 8, `${wait} s`);
    });
  }

  test("who says nothing gets a wait all the same, since a 429 always has one", async () => {
    const account = await scripted.another();
    scripted.answers.set("/ships/1", () => status(429));
    const answer = await call("GET", "/proxy/ships/1", undefined, { "x-max-retries": "0" }, { account });
    assertError(answer, 429, "provider.rate_limited");
    assert.ok(Number(answer.headers.get("retry-after")) > 0);
  });

  test("who says nonsense, too", async () => {
    await eachCase(["soon", "-5", "1e400", "99999999999999999999"], async (odd) => {
      const account = await scripted.another();
      scripted.answers.set("/ships/1", () => status(429, { "retry-after": odd }));
      const answer = await call("GET", "/proxy/ships/1", undefined, { "x-timeout-ms": "1000" }, { account });
      assertError(answer, 429, "provider.rate_limited");
      assert.match(answer.headers.get("retry-after"), /^[1-9]\d{0,9}$/, odd);
    });
  });
});

describe("ratelimit-* of an answer", () => {
  const of = (headers) => ["limit", "remaining", "reset"].map((name) => headers.get(`ratelimit-${name}`));

  for (const path of ["/proxy/ships", "/proxy/ships/1", "/custom/ships"]) {
    test(`in our words: ${path}`, async () => {
      const account = await scripted.another();
      const said = { body: { data: [] }, headers: { "x-limit": "500", "x-left": "499", "x-reset": "42" } };
      for (const to of ["/ships", "/ships/1"]) scripted.answers.set(to, () => said);
      const { headers } = await call("GET", path, undefined, {}, { account });
      assert.deepEqual(of(headers), ["500", "499", "42"]);
    });
  }

  test("a reset that is a time of day becomes seconds", async () => {
    const account = await scripted.another();
    scripted.answers.set("/ships", () => ({ body: { data: [] }, headers: { "x-limit": "500", "x-left": "499", "x-reset-at": new Date(Date.now() + 60_000).toISOString() } }));
    const [, , reset] = of((await call("GET", "/proxy/ships", undefined, {}, { account })).headers);
    assert.ok(Number(reset) >= 58 && Number(reset) <= 61, reset);
  });

  test("on an error, too, and nothing where the provider says nothing", async () => {
    const account = await scripted.another();
    scripted.answers.set("/ships/1", () => ({ status: 404, body: {}, headers: { "x-limit": "500", "x-left": "498", "x-reset": "5" } }));
    assert.deepEqual(of((await call("GET", "/proxy/ships/1", undefined, {}, { account })).headers), ["500", "498", "5"]);
    assert.deepEqual(of((await call("GET", "/proxy/ships", undefined, {}, { account })).headers), [null, null, null]);
  });

  test("nothing is left: the account sends no more until the reset, for all callers", async () => {
    const account = await scripted.another();
    answers("/ships", { body: { data: [] }, headers: { "x-limit": "500", "x-left": "0", "x-reset": "3" } });
    const began = Date.now();
    ok(await call("GET", "/proxy/ships", undefined, {}, { account }), 200);
    const refused = await call("GET", "/proxy/ships/1", undefined, { "x-timeout-ms": "500" }, { account });
    assert.equal(refused.status, 429, refused.text);
    const wait = Number(refused.headers.get("retry-after"));
    assert.ok(wait >= 1 && wait <= 3, `${wait} s`);
    assert.equal(scripted.requests.length, 1, "nothing was sent in that time");
    ok(await call("GET", "/proxy/ships/1", undefined, {}, { account: await scripted.another() }), 200); // another account is another customer's
    await sleep(Math.max(0, began + 3_200 - Date.now()));
    ok(await call("GET", "/proxy/ships/1", undefined, { "x-timeout-ms": "500" }, { account }), 200);
  });
});

describe("ACCOUNT_RATE", () => {
  before(() => scripted.gateway.restart({ vars: { ACCOUNT_RATE: "5" } }));
  after(() => scripted.gateway.restart({ vars: { ACCOUNT_RATE: "0" } }));

  test("so many calls of an account in 10 s; the next is 429 with retry-after, and not sent", async () => {
    const account = await scripted.another();
    const impatient = { "x-timeout-ms": "300" };
    for (let n = 0; n < 5; n++) ok(await call("GET", "/proxy/ships/1", undefined, impatient, { account }), 200);
    const refused = await call("GET", "/proxy/ships/1", undefined, impatient, { account });
    const error = assertError(refused, 429, "caller.");
    assert.equal(error.is_remote_error, undefined);
    const wait = Number(refused.headers.get("retry-after"));
    assert.ok(wait >= 1 && wait <= 10, `${wait} s`);
    assert.equal(scripted.requests.length, 5);
    ok(await call("GET", "/proxy/ships/1", undefined, impatient, { account: await scripted.another() }), 200);
    await sleep(wait * 1_000);
    ok(await call("GET", "/proxy/ships/1", undefined, impatient, { account }), 200);
  });

  test("50 at once: never more than 5 reach the provider within the first seconds", async () => {
    const account = await scripted.another();
    const all = await Promise.all(Array.from({ length: 50 }, () => call("GET", "/proxy/ships/1", undefined, { "x-timeout-ms": "2000" }, { account })));
    const statuses = all.map(({ status: answered }) => answered);
    assert.equal(statuses.filter((answered) => answered === 200).length, 5, `${statuses}`);
    assert.ok(statuses.every((answered) => answered === 200 || answered === 429), `${statuses}`);
    assert.equal(scripted.requests.length, 5);
  });
});
