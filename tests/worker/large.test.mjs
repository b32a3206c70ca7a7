// What is large goes through and not into the Worker: its memory stays flat, for any size, and also when a peer is slow.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, request as openRequest } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { importAccount, newEnvironment, ok } from "./steps.mjs";

const MB = 1024 * 1024;
const [DOWNLOAD, UPLOAD, RECORDS, A_PAGE] = [200 * MB, 90 * MB, 100_000, 1_000];
/** What a call may add to the runtime's memory: buffers of sockets and streams, garbage that was not collected yet. A body that were held would add all of itself. */
const FLAT = 48 * MB;
/** 4 MB that do not repeat within a buffer's size; all bodies are made of it. */
const PIECE = randomBytes(4 * MB);

let gateway, environment, account, server;
/** What the provider saw last. */
const seen = { sent: 0, received: 0, hash: undefined, length: undefined, pages: 0 };
before(async () => {
  server = createServer((request, response) => answers[new URL(request.url, "http://x").pathname](request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  gateway = await start({ internet: "real" });
  const pagination = { format: "page", config: { page_key: "page", limit_key: "limit", max_limit: A_PAGE, total_path: "total" } };
  const config = {
    base_url: `http://127.0.0.1:${server.address().port}`,
    credentials: { format: "api_key", config: { fields: [{ name: "api_key", type: "password" }] } },
    authorization: { format: "header", config: { name: "x-key", value: "{{api_key}}" } },
    resources: { records: { list: { path: "/records", response_path: "data", pagination } }, files: { get: { path: "/{{id}}" }, create: { method: "post", path: "/upload" } } },
  };
  ok(await gateway.admin("PUT", "/integration/large", { name: "large", config }), 201);
  environment = await newEnvironment(gateway, "large");
  const installed = ok(await environment.call("POST", "/environment-integration", { integration_name: "large" }), 201);
  account = await importAccount(environment, installed, { api_key: "k" });
  // Once each: what the first call takes is not the size's fault.
  await read(await through("/custom/download?bytes=1000000"));
  await read(await through("/custom/upload", { method: "POST", body: PIECE }));
  // Auto-pagination parses what it passes on, and the engine's heap grows to a fixed size: 24 lists of 100 MB each end at the same.
  await read(await through("/proxy/records?limit=1000", { headers: { "x-all-pages": "true" } }));
});
after(async () => {
  await gateway?.stop();
  server?.closeAllConnections();
  server?.close();
});

const answers = {
  async "/download"(request, response) {
    const size = Number(new URL(request.url, "http://x").searchParams.get("bytes"));
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": size });
    seen.sent = 0;
    const counted = function* () {
      for (const piece of pieces(size)) {
        yield piece;
        seen.sent += piece.length;
      }
    };
    await pipeline(Readable.from(counted(), { highWaterMark: 1 }), response).catch(() => {}); // a reader that left
  },
  async "/upload"(request, response) {
    const hash = createHash("sha256");
    seen.received = 0;
    seen.length = request.headers["content-length"];
    for await (const chunk of request) {
      hash.update(chunk);
      seen.received += chunk.length;
      if (request.headers["x-slow"] && seen.received < 2 * MB) await sleep(20);
    }
    seen.hash = hash.digest("hex");
    response.writeHead(201, { "content-type": "application/json" }).end('{"ok":true}');
  },
  "/records"(request, response) {
    const query = new URL(request.url, "http://x").searchParams;
    const [page, limit] = [Number(query.get("page")), Number(query.get("limit") ?? A_PAGE)];
    seen.pages += 1;
    const from = (page - 1) * limit;
    const data = Array.from({ length: Math.min(limit, RECORDS - from) }, (_, n) => record(from + n));
    response.writeHead(200, { "content-type": "application/json" }).end(`{"total":${RECORDS},"data":[${data.join(",")}]}`);
  },
};

/** A kilobyte each, so that all of them are twice what the Worker may take. */
const record = (n) => `{"id":${n},"big":1234567890123456${String(n).padStart(6, "0")},"text":"${"~".repeat(950)}"}`;

function* pieces(size) {
  for (let left = size; left > 0; left -= PIECE.length) yield left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
}
function hashOf(size) {
  const hash = createHash("sha256");
  for (const piece of pieces(size)) hash.update(piece);
  return hash.digest("hex");
}
const through = (path, { headers, ...init } = {}) =>
  gateway.fetch(`${path}${path.includes("?") ? "&" : "?"}integrated_account_id=${account.id}`, { ...init, headers: { authorization: `Bearer ${environment.token}`, "x-timeout-ms": "100000", ...headers } });

/** `{bytes, hash}` of a body, read to its end; `each` is awaited for every chunk. */
async function read(response, each = () => {}) {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of response.body) {
    hash.update(chunk);
    bytes += chunk.length;
    await each(chunk, bytes);
  }
  return { bytes, hash: hash.digest("hex") };
}

/** Does the work, and fails if the runtime took more memory for it than a flat line has. */
async function flat(context, work) {
  await sleep(500);
  await gateway.forgetPeak();
  const before = await gateway.memory();
  const outcome = await work();
  const { now, peak } = await gateway.memory();
  const mb = (bytes) => `${Math.round(bytes / MB)} MB`;
  context.diagnostic(`memory: ${mb(before.now)} before, ${mb(peak)} at most, ${mb(now)} after`);
  assert.ok(peak - before.now < FLAT, `memory grew from ${mb(before.now)} to ${mb(peak)}`);
  return outcome;
}

for (const path of ["/custom/download", "/proxy/files/download"]) {
  test(`a download of 200 MB: ${path}`, async (context) => {
    const { bytes, hash } = await flat(context, async () => read(await through(`${path}?bytes=${DOWNLOAD}`)));
    assert.equal(bytes, DOWNLOAD);
    assert.equal(hash, hashOf(DOWNLOAD));
  });
}

test("three downloads at once", async (context) => {
  const all = await flat(context, () => Promise.all([1, 2, 3].map(async () => read(await through(`/custom/download?bytes=${DOWNLOAD / 2}`)))));
  await eachCase(all, ({ bytes, hash }) => assert.deepEqual([bytes, hash], [DOWNLOAD / 2, hashOf(DOWNLOAD / 2)]));
});

test("a download whose reader pauses: the provider waits, not the Worker's memory", async (context) => {
  await flat(context, async () => {
    let paused = false;
    const { bytes } = await read(await through(`/custom/download?bytes=${DOWNLOAD}`), async (_, had) => {
      if (paused || had < MB) return;
      paused = true;
      await sleep(2_000);
      assert.ok(seen.sent < 64 * MB, `${seen.sent / MB} MB were sent to a reader of 1 MB`);
    });
    assert.equal(bytes, DOWNLOAD);
  });
});

/** Sends a body with a `content-length`, which `fetch` keeps for itself: the status. */
async function uploadOfKnownLength(path) {
  const target = new URL(`${path}?integrated_account_id=${account.id}`, gateway.url);
  const headers = { authorization: `Bearer ${environment.token}`, "content-type": "application/octet-stream", "content-length": UPLOAD };
  const outgoing = openRequest(target, { method: "POST", headers });
  const answered = once(outgoing, "response");
  await pipeline(Readable.from(pieces(UPLOAD), { highWaterMark: 1 }), outgoing);
  const [response] = await answered;
  response.resume();
  return response.statusCode;
}

async function uploadOfUnknownLength(path, headers) {
  const body = ReadableStream.from(pieces(UPLOAD));
  const response = await through(path, { method: "POST", duplex: "half", body, headers: { "content-type": "application/octet-stream", ...headers } });
  await response.arrayBuffer();
  return response.status;
}

for (const path of ["/custom/upload", "/proxy/files"]) {
  for (const [how, upload] of Object.entries({ "of known length": uploadOfKnownLength, "of unknown length": uploadOfUnknownLength })) {
    test(`an upload of 90 MB ${how}: ${path}`, async (context) => {
      assert.equal(await flat(context, () => upload(path)), 201);
      assert.equal(seen.received, UPLOAD);
      assert.equal(seen.hash, hashOf(UPLOAD));
      assert.equal(seen.length, upload === uploadOfKnownLength ? String(UPLOAD) : undefined, "the provider gets the length that we got");
    });
  }
}

test("an upload to a provider that reads slowly", async (context) => {
  assert.equal(await flat(context, () => uploadOfUnknownLength("/custom/upload", { "x-forward-x-slow": "1" })), 201);
  assert.equal(seen.hash, hashOf(UPLOAD));
});

test("100,000 records as JSON lines, about 100 MB", async (context) => {
  let [left, next] = ["", 0];
  const decoder = new TextDecoder();
  const response = await flat(context, async () => {
    const response = await through("/proxy/records?limit=1000", { headers: { "x-all-pages": "true" } });
    await read(response, (chunk) => {
      const lines = (left + decoder.decode(chunk, { stream: true })).split("\n");
      left = lines.pop();
      for (const line of lines) {
        assert.equal(line, record(next), `record ${next}`);
        next += 1;
      }
    });
    return response;
  });
  assert.match(response.headers.get("content-type"), /^application\/x-ndjson/);
  assert.equal(left, "");
  assert.equal(next, RECORDS);
});

test("JSON lines whose reader pauses: no page is asked for before it is wanted", async (context) => {
  await flat(context, async () => {
    seen.pages = 0;
    const response = await through("/proxy/records?limit=1000", { headers: { "x-all-pages": "true" } });
    assert.match(response.headers.get("content-type"), /^application\/x-ndjson/);
    const reader = response.body.getReader();
    await reader.read();
    await sleep(3_000);
    const asked = seen.pages;
    assert.ok(asked < 40, `${asked} pages of 1 MB for a reader of one chunk`);
    await sleep(1_000);
    assert.ok(seen.pages - asked <= 1, "it asks on and on");
    await reader.cancel();
  });
});
