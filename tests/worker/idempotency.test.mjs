// Idempotency-Key on a write: what was answered is answered again, and a write is never sent twice unknowingly.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { assertError, eventually, ok } from "./steps.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";

const [KIB, MIB] = [1024, 1024 * 1024];

let scripted;
before(async () => {
  const ships = { get: { path: "/ships/{{id}}" }, create: { method: "post", path: "/ships" }, update: { method: "patch", path: "/ships/{{id}}" }, delete: { method: "delete", path: "/ships/{{id}}" } };
  scripted = await startScriptedProvider({ config: { resources: { ships } } });
});
after(() => scripted?.stop());
beforeEach(() => {
  scripted.clear();
  scripted.answers.set("/ships", (_, n) => ({ status: 201, headers: { location: `/ships/${n}`, "x-ship": "new" }, body: { id: n, at: randomUUID() } }));
});

const newKey = () => ({ "idempotency-key": randomUUID() });
const create = (key, body = { name: "Fram" }, options) => scripted.call("POST", "/proxy/ships", body, key, options);
const sent = () => scripted.requests.length;

describe("again", () => {
  test("with the same body: the stored answer, word for word, and nothing is sent", async () => {
    const key = newKey();
    const first = await create(key);
    const second = await create(key);
    ok(first, 201);
    assert.equal(second.status, 201);
    assert.equal(second.text, first.text);
    await eachCase(["content-type", "location", "x-ship"], (name) => assert.equal(second.headers.get(name), first.headers.get(name), name));
    assert.notEqual(second.headers.get("x-request-id"), first.headers.get("x-request-id"));
    assert.equal(sent(), 1);
    assert.equal(scripted.requests[0].headers["idempotency-key"], key["idempotency-key"], "the provider hears of it");
  });

  for (const [method, path] of [["POST", "/custom/ships"], ["PATCH", "/proxy/ships/1"], ["DELETE", "/proxy/ships/1"], ["POST", "/proxy/ships?mode=fast"]]) {
    test(`${method} ${path}`, async () => {
      const [key, body] = [newKey(), method === "DELETE" ? undefined : { name: "Fram" }];
      scripted.answers.set("/ships/1", (_, n) => ({ body: { n } }));
      const [first, second] = [await scripted.call(method, path, body, key), await scripted.call(method, path, body, key)];
      assert.equal(second.status, first.status);
      assert.equal(second.text, first.text);
      assert.equal(sent(), 1);
    });
  }

  test("an answer without a body", async () => {
    scripted.answers.set("/ships/1", () => ({ status: 204 }));
    const key = newKey();
    await eachCase(["once", "twice"], async (_) => assert.equal((await scripted.call("DELETE", "/proxy/ships/1", undefined, key)).status, 204));
    assert.equal(sent(), 1);
  });

  test("a refusal of the provider (4xx) is an answer, too", async () => {
    scripted.answers.set("/ships", () => ({ status: 422, body: { message: "no such name" } }));
    const key = newKey();
    await eachCase(["once", "twice"], async (_) => {
      const error = assertError(await create(key), 422, "provider.rejected");
      assert.deepEqual(error.raw_response, { message: "no such name" });
    });
    assert.equal(sent(), 1);
  });

  test("5xx and 429 are not kept: the next one is sent", async () => {
    for (const code of [500, 503, 429]) {
      scripted.clear();
      scripted.answers.set("/ships", (_, n) => (n === 1 ? { status: code, headers: { "retry-after": "0" }, body: {} } : { status: 201, body: { n } }));
      const key = newKey();
      assert.equal((await create(key)).status, code);
      const second = await eventually(async () => {
        const answer = await create(key);
        assert.equal(answer.status, 201, answer.text);
        return answer;
      });
      assert.equal((await create(key)).text, second.text);
      assert.equal(sent(), 2);
    }
  });

  test("after the object left memory, and after the runtime was killed", async () => {
    const key = newKey();
    const first = await create(key);
    await scripted.gateway.evict("Account");
    assert.equal((await create(key)).text, first.text);
    await scripted.gateway.restart();
    assert.equal((await create(key)).text, first.text);
    assert.equal(sent(), 1);
  });
});

describe("apart", () => {
  test("another key, another path or query, another account, another method is another write", async () => {
    const key = newKey();
    scripted.answers.set("/ships/1", () => ({ body: {} }));
    ok(await create(key), 201);
    ok(await create(newKey()), 201);
    ok(await create(key, undefined, { account: await scripted.another() }), 201);
    ok(await scripted.call("POST", "/proxy/ships?mode=fast", { name: "Fram" }, key), 201);
    ok(await scripted.call("PATCH", "/proxy/ships/1", { name: "Fram" }, key), 200);
    assert.equal(sent(), 5);
  });

  test("a read ignores it", async () => {
    const key = newKey();
    scripted.answers.set("/ships/1", (_, n) => ({ body: { n } }));
    await eachCase([1, 2], async (n) => assert.equal(ok(await scripted.call("GET", "/proxy/ships/1", undefined, key), 200).n, n));
  });

  test("without a key nothing is kept", async () => {
    await eachCase([1, 2], async (id) => assert.equal(ok(await create({}), 201).id, id));
  });
});

describe("refused", () => {
  test("another body under the key: 422, and nothing is sent", async () => {
    const key = newKey();
    ok(await create(key), 201);
    assertError(await create(key, { name: "Gjøa" }), 422, "caller.");
    assert.equal(sent(), 1);
  });

  test("while the first is under way: 503, and then its answer", async () => {
    const key = newKey();
    scripted.answers.set("/ships", () => ({ status: 201, body: { id: 1 }, delayMs: 1_000 }));
    const first = create(key);
    await eventually(() => assert.equal(sent(), 1));
    assertError(await create(key), 503, "caller.idempotency_running");
    assert.equal((await create(key, { name: "Gjøa" })).status, 422, "another body is that, all the same");
    const { text } = await first;
    assert.equal((await create(key)).text, text);
    assert.equal(sent(), 1);
  });

  test("twenty at once: one is sent", async () => {
    const key = newKey();
    scripted.answers.set("/ships", () => ({ status: 201, body: { id: 1 }, delayMs: 300 }));
    const all = await Promise.all(Array.from({ length: 20 }, () => create(key)));
    assert.equal(all.filter(({ status }) => status === 201).length, 1);
    await eachCase(all.filter(({ status }) => status !== 201), (answer) => { assertError(answer, 503, "caller.idempotency_running"); });
    assert.equal(sent(), 1);
  });

  test("an answer of 256 KiB is given again, of a larger one only that it came", async () => {
    const answer = (bytes) => scripted.answers.set("/ships", () => ({ status: 201, body: `"${"x".repeat(bytes - 2)}"` }));
    answer(256 * KIB);
    const [small, large] = [newKey(), newKey()];
    await eachCase(["once", "twice"], async (_) => assert.equal((await create(small)).text.length, 256 * KIB));
    answer(256 * KIB + 1);
    assert.equal((await create(large)).text.length, 256 * KIB + 1);
    const error = assertError(await create(large), 409, "caller.idempotency_not_replayable");
    assert.match(JSON.stringify(error), /201/, "it says what was answered");
    assert.equal(sent(), 2);
  });

  test("a body of 1 MiB has room, a larger one is 413 with a key and goes on without", async () => {
    const body = (bytes) => `"${"x".repeat(bytes - 2)}"`;
    ok(await create(newKey(), body(MIB)), 201);
    assertError(await create(newKey(), body(MIB + 1)), 413, "caller.body_too_large");
    assert.equal(sent(), 1);
    ok(await create({}, body(MIB + 1)), 201);
  });

  test("a body of unknown length is looked into, too", async () => {
    const key = newKey();
    const stream = (size) => ReadableStream.from([Buffer.alloc(size, "x")]);
    const first = await create(key, stream(100 * KIB));
    assert.equal((await create(key, stream(100 * KIB))).text, first.text);
    assert.equal((await create(key, stream(100 * KIB + 1))).status, 422);
    assertError(await create(newKey(), stream(MIB + 1)), 413, "caller.body_too_large");
    assert.equal(sent(), 1);
  });

  test("a key that is none", async () => {
    await eachCase(["", "k".repeat(1_000)], async (key) => {
      const { status } = await create({ "idempotency-key": key });
      assert.ok(status === 201 || status === 400 || status === 422, `${status}`);
    });
  });
});

describe("SIGKILL", () => {
  test("between send and store: reported as in progress, and never sent again", async () => {
    const key = newKey();
    scripted.answers.set("/ships", () => "silent");
    const lost = create(key).catch((error) => error);
    await eventually(() => assert.equal(sent(), 1));
    await scripted.gateway.restart();
    assert.ok((await lost) instanceof Error);
    scripted.answers.set("/ships", () => ({ status: 201, body: {} }));
    assertError(await create(key), 409, "caller.idempotency_in_progress");
    assert.equal((await create(key, { name: "Gjøa" })).status, 422);
    assert.equal(sent(), 1);
    ok(await create(newKey()), 201);
  });

  for (const delay of [0, 2, 5, 10, 20, 50]) {
    test(`${delay} ms after the provider answered: its answer or 409, and never sent again`, async () => {
      const key = newKey();
      const answered = new Promise((resolve) => {
        scripted.answers.set("/ships", () => (response) => response.writeHead(201, { "content-type": "application/json" }).end('{"id":1}', resolve));
      });
      const call = create(key).catch((error) => error);
      await answered;
      await new Promise((settle) => setTimeout(settle, delay));
      await scripted.gateway.restart();
      const first = await call;
      const again = await create(key);
      // Who had an answer gets it again: it is stored before it is given.
      if (first.status === 201) assert.equal(again.text, first.text);
      else if (again.status !== 201) assertError(again, 409, "caller.idempotency_in_progress");
      assert.equal(sent(), 1);
    });
  }
});

test("what is stored is sealed: neither answer nor body is in a file as it is", async () => {
  const [answer, body] = [randomUUID(), randomUUID()];
  scripted.answers.set("/ships", () => ({ status: 201, body: { answer } }));
  const key = newKey();
  ok(await create(key, { body }), 201);
  await scripted.gateway.evict("Account");
  await eachCase([answer, body], async (secret) => assert.deepEqual(await scripted.gateway.filesHolding(secret), []));
  assert.equal(ok(await create(key, { body }), 201).answer, answer);
});

test("a deleted account takes its answers with it", async () => {
  const account = await scripted.another();
  const key = newKey();
  ok(await create(key, { name: "Fram" }, { account }), 201);
  ok(await scripted.environment.call("DELETE", `/integrated-account/${account.id}`), 200);
  assertError(await create(key, { name: "Fram" }, { account }), 404, "caller.not_found");
});
