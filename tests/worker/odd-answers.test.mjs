// What a real HTTP server can answer with: compressed, without a body, with bytes beyond ASCII in a header.

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { start } from "./harness.mjs";
import { assertError, importAccount, newEnvironment, ok } from "./steps.mjs";

let gateway, environment, account, server, seen;
const text = "the quick brown fox ".repeat(500);

const answers = {
  "/plain-gzip": (response) => response.writeHead(200, { "content-type": "text/plain", "content-encoding": "gzip" }).end(gzipSync(text)),
  "/items": (response) => response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(gzipSync('{"data":[1,2]}')),
  "/empty": (response) => response.writeHead(204, { "x-kept": "yes" }).end(),
  "/same": (response) => response.writeHead(304, { etag: '"e"' }).end(),
  "/head": (response) => response.writeHead(200, { "content-type": "application/zip", "content-length": "12345", etag: '"e"' }).end(),
  "/latin": (response) => response.writeHead(200, { "x-name": Buffer.from("café", "utf8").toString("latin1") }).end("ok"),
  "/odd": (response) => response.writeHead(999).end("go away"),
  "/cut-off": (response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
    response.write('{"data":[');
    setTimeout(() => response.destroy(), 50);
  },
};

before(async () => {
  server = http.createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    seen = { method: request.method, url: request.url, headers: request.headers, body };
    answers[new URL(request.url, "http://x").pathname](response);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  gateway = await start({ vars: { ALLOW_PRIVATE_UPSTREAMS: "true" }, internet: "real" });
  const config = {
    base_url: `http://127.0.0.1:${server.address().port}`,
    credentials: { format: "api_key", config: { fields: [{ name: "api_key", type: "password" }] } },
    authorization: { format: "header", config: { name: "x-key", value: "{{api_key}}" } },
    resources: { items: { list: { path: "/items", response_path: "data" } }, broken: { list: { path: "/cut-off", response_path: "data" } } },
  };
  ok(await gateway.admin("PUT", "/integration/odd", JSON.stringify({ name: "odd", config })), 201);
  environment = await newEnvironment(gateway, "odd");
  const installed = ok(await environment.call("POST", "/environment-integration", { integration_name: "odd" }), 201);
  account = await importAccount(environment, installed, { api_key: "k" });
});
after(async () => {
  await gateway.stop();
  server.closeAllConnections();
  server.close();
});

const through = (path, init = {}) =>
  gateway.fetch(`${path}?integrated_account_id=${account.id}`, { ...init, headers: { authorization: `Bearer ${environment.token}`, ...init.headers } });

test("a compressed answer comes out readable, whole and cut", async () => {
  assert.equal(await (await through("/custom/plain-gzip")).text(), text);
  assert.deepEqual((await (await through("/proxy/items")).json()).result, [1, 2]);
});

test("answers without a body stay without one and keep their headers", async () => {
  const empty = await through("/custom/empty");
  assert.equal(empty.status, 204);
  assert.equal(empty.headers.get("x-kept"), "yes");
  const same = await through("/custom/same", { headers: { "if-none-match": '"e"' } });
  assert.equal(same.status, 304);
  assert.equal(same.headers.get("etag"), '"e"');
  assert.equal(seen.headers["if-none-match"], '"e"');
});

test("HEAD is HEAD on both sides", async () => {
  const head = await through("/custom/head", { method: "HEAD" });
  assert.equal(seen.method, "HEAD");
  assert.equal(head.status, 200);
  assert.equal(head.headers.get("etag"), '"e"');
  assert.equal(await head.text(), "");
});

test("bytes beyond ASCII in a header survive", async () => {
  const name = (await through("/custom/latin")).headers.get("x-name");
  assert.equal(Buffer.from(name, "latin1").toString("utf8"), "café");
});

test("an answer that breaks off is the provider's fault, and reported so", async () => {
  const answer = await through("/proxy/broken");
  assertError({ status: answer.status, headers: answer.headers, body: await answer.json() }, 502, "provider.unreachable");
});

test("a status that HTTP does not have is reported as such, and asked for once", async () => {
  let asked = 0;
  server.on("request", () => asked++);
  const answer = await through("/custom/odd");
  assert.equal(answer.status, 502);
  assert.match((await answer.json()).code, /^provider\./);
  assert.equal(asked, 1);
});

test("an upload of unknown length arrives whole", async () => {
  const pieces = new ReadableStream({
    async start(controller) {
      for (let piece = 0; piece < 50; piece++) {
        controller.enqueue(new Uint8Array(4096).fill(piece));
        await new Promise((next) => setTimeout(next, 1));
      }
      controller.close();
    },
  });
  assert.equal((await through("/custom/empty", { method: "POST", body: pieces, duplex: "half" })).status, 204);
  assert.equal(seen.body.length, 50 * 4096);
  assert.equal(seen.body.at(-1), 49);
});
