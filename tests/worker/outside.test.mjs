// What only an invented provider shows: exact requests, odd answers, large bodies.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { start } from "./harness.mjs";
import { assertError, apiKeyAccount, ok } from "./steps.mjs";

let gateway, environment, account, answers;
before(async () => {
  gateway = await start({ internet: (request) => answers(request) });
  ({ environment, account } = await apiKeyAccount(gateway, "key-of-the-api-key"));
});
after(() => gateway.stop());

const through = (path) => `${path}${path.includes("?") ? "&" : "?"}integrated_account_id=${account.id}`;
const raw = (path, init = {}) =>
  gateway.fetch(through(path), { ...init, headers: { authorization: `Bearer ${environment.token}`, ...init.headers } });
const json = (text, init) => new Response(text, { headers: { "content-type": "application/json" }, ...init });

test("the request is exactly what the file says", async () => {
  let seen;
  answers = (request) => {
    seen = request;
    return json('{"data":{"ships":[]}}');
  };
  ok(await environment.call("GET", through("/proxy/ships?flag=%C3%BC%20x&flag=2")), 200);
  assert.equal(seen.method, "GET");
  assert.equal(new URL(seen.url).origin + new URL(seen.url).pathname, "https://api.api-key.example/v1/ships");
  assert.deepEqual(new URL(seen.url).searchParams.getAll("flag"), ["ü x", "2"]);
  assert.equal(seen.headers.get("x-key"), "key-of-the-api-key");
  assert.equal(seen.headers.get("authorization"), null);
});

test("numbers of any size survive, whole and cut", async () => {
  const ship = '{"id":12345678901234567890,"draught":1.10,"mass":1e400}';
  answers = () => json(ship);
  assert.equal(await (await raw("/proxy/ships/1")).text(), ship);
  answers = () => json(`{"data":{"ships":[${ship}]}}`);
  assert.ok((await (await raw("/proxy/ships")).text()).includes(ship));
});

test("a request body is forwarded byte for byte", async () => {
  const body = '{ "b": 1.0,\n "a": 12345678901234567890, "c": "\\u00fc" }';
  let seen;
  answers = async (request) => {
    seen = await request.text();
    return json("{}", { status: 201 });
  };
  ok(await environment.call("POST", through("/proxy/ships"), body), 201);
  assert.equal(seen, body);
});

test("20 MB are streamed through unread, both ways", async () => {
  const cargo = randomBytes(20_000_000);
  const hash = (bytes) => createHash("sha256").update(bytes).digest("hex");
  let uploaded;
  answers = async (request) => {
    uploaded = hash(Buffer.from(await request.arrayBuffer()));
    return new Response(cargo, { headers: { "content-type": "application/octet-stream" } });
  };
  const response = await raw("/custom/cargo", { method: "POST", body: cargo, headers: { "content-type": "application/octet-stream" } });
  assert.equal(hash(Buffer.from(await response.arrayBuffer())), hash(cargo));
  assert.equal(uploaded, hash(cargo));
});

test("answer headers come through, set-cookie does not", async () => {
  answers = () => json("{}", { headers: { etag: '"7"', link: "<https://x.example>; rel=next", "set-cookie": "a=b", "content-type": "application/json" } });
  const { headers } = await raw("/proxy/ships/1");
  assert.equal(headers.get("etag"), '"7"');
  assert.match(headers.get("link"), /rel=next/);
  assert.equal(headers.get("set-cookie"), null);
});

test("a redirect to another host is followed without the key, a write is not followed there", async () => {
  const seen = [];
  answers = (request) => {
    seen.push([request.method, new URL(request.url).host, request.headers.get("x-key")]);
    if (new URL(request.url).host === "files.example") return json('{"from":"files"}');
    return new Response(null, { status: 302, headers: { location: "https://files.example/1" } });
  };
  assert.equal(ok(await environment.call("GET", through("/proxy/ships/1")), 200).from, "files");
  assert.deepEqual(seen, [["GET", "api.api-key.example", "key-of-the-api-key"], ["GET", "files.example", null]]);

  seen.length = 0;
  answers = (request) => {
    seen.push([request.method, new URL(request.url).host]);
    return new Response(null, { status: 307, headers: { location: "https://files.example/1" } });
  };
  const answer = await environment.call("POST", through("/proxy/ships"), { name: "x" });
  assertError(answer, 502, "provider.");
  assert.deepEqual(seen, [["POST", "api.api-key.example"]]);
});

test("a broken provider is 502 with its answer, a garbled list too", async () => {
  answers = () => new Response("<h1>down</h1>", { status: 500, headers: { "content-type": "text/html" } });
  const error = assertError(await environment.call("GET", through("/proxy/ships/1"), undefined, { "x-max-retries": "0" }), 500, "provider.");
  assert.equal(error.raw_response, "<h1>down</h1>");
  answers = () => json('{"data":');
  assertError(await environment.call("GET", through("/proxy/ships")), 502, "provider.");
});
