// What only the wire shows: the bytes of header values, spellings of content-encoding, what a request without a body says,
// and URLs that are signed as they were called. The provider and the callers here write their bytes by hand.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import net from "node:net";
import { after, before, test } from "node:test";
import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { importAccount, newEnvironment, ok } from "./steps.mjs";

const LINE = "\r\n";
const bytes = (...parts) => Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
const answer = (status, fields, body = "") => {
  const content = bytes(body);
  const lines = [["content-length", String(content.length)], ["connection", "close"], ...fields].map(([name, value]) => bytes(`${name}: `, value, LINE));
  return bytes(`HTTP/1.1 ${status} X${LINE}`, ...lines, LINE, content);
};
const JSON_TYPE = ["content-type", "application/json"];

let gateway, environment, account, server, answers, seen;

/** One message, its header bytes as Latin-1 text: `{start, fields, body}`. */
function read(message) {
  const end = message.indexOf(LINE + LINE);
  const [first, ...lines] = message.subarray(0, end).toString("latin1").split(LINE);
  const fields = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), Buffer.from(line.slice(line.indexOf(":") + 1).trim(), "latin1")]));
  return { start: first, fields, body: message.subarray(end + 4) };
}

before(async () => {
  server = net.createServer((socket) => {
    let message = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (data) => {
      message = Buffer.concat([message, data]);
      const end = message.indexOf(LINE + LINE);
      if (end < 0) return;
      const request = read(message);
      if (request.body.length < Number(request.fields["content-length"] ?? 0)) return;
      seen.push(request);
      socket.end(answers(request.start.split(" ")[1], request));
    });
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  gateway = await start({ vars: { ALLOW_PRIVATE_UPSTREAMS: "true" }, internet: "real" });
  const page = (format, config) => ({ format, config });
  const config = {
    base_url: `http://127.0.0.1:${server.address().port}`,
    credentials: { format: "api_key", config: { fields: [{ name: "api_key", type: "password" }, { name: "who", type: "text" }, { name: "webhook_secret", type: "password" }] } },
    authorization: { format: "bearer", config: { token: "{{api_key}}" } },
    headers: { "X-Who": "{{who}}", "Content-Type": "application/json" },
    webhook: {
      signature_verification: { format: "hmac", config: { algorithm: "sha1", secret: "{{webhook_secret}}", parts: ["$url", "$form_sorted", "$header.x-title"], string_type: "base64", compare_with: "$header.x-signature" } },
    },
    resources: {
      items: { list: { path: "/items", response_path: "data", pagination: page("link_header", {}) }, get: { path: "/items/{{id}}", response_path: "data" } },
      hdr: { list: { path: "/hdr", response_path: "data", pagination: page("cursor", { cursor_path: "x-next", cursor_path_object: "header", cursor_key: "c" }) } },
      o: { create: { method: "post", path: "/o" }, update: { method: "put", path: "/o/{{id}}" }, delete: { method: "delete", path: "/o/{{id}}" } },
    },
  };
  ok(await gateway.admin("PUT", "/integration/wire", JSON.stringify({ name: "wire", category: "other", config })), 201);
  environment = await newEnvironment(gateway, "wire");
  const installed = ok(await environment.call("POST", "/environment-integration", { integration_name: "wire" }), 201);
  account = await importAccount(environment, installed, { api_key: "ké-łódź", who: "café 日本", webhook_secret: "wire-webhook-secret" });
});
after(async () => {
  await gateway.stop();
  server.close();
});

/** A request written by hand. */
function sent(method, target, fields = [], body = "") {
  seen = [];
  const { port } = new URL(gateway.url);
  const content = bytes(body);
  const length = content.length > 0 ? [["content-length", String(content.length)]] : [];
  const lines = [["host", `127.0.0.1:${port}`], ["connection", "close"], ["accept-encoding", "identity"], ...length, ...fields].map(([name, value]) => bytes(`${name}: `, value, LINE));
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), "127.0.0.1");
    const pieces = [];
    socket.on("data", (piece) => pieces.push(piece));
    socket.on("error", reject);
    socket.on("end", () => resolve(read(Buffer.concat(pieces))));
    socket.write(bytes(`${method} ${target} HTTP/1.1${LINE}`, ...lines, LINE, content));
  });
}
const call = (method, path, fields = [], body = "") =>
  sent(method, `${path}${path.includes("?") ? "&" : "?"}integrated_account_id=${account.id}`, [["authorization", `Bearer ${environment.token}`], ...fields], body);
const status = ({ start }) => Number(start.split(" ")[1]);

const WORDS = ["café", "łąka", "日本"];

test("Link, Location and cursors are followed with the bytes they came with", async () => {
  await eachCase(WORDS, async (word) => {
    answers = (target) => (target.includes("page=2") ? answer(200, [JSON_TYPE], '{"data":[2]}') : answer(200, [JSON_TYPE, ["link", `</items?q=${word}&page=2>; rel="next"`]], '{"data":[1]}'));
    assert.match((await call("GET", "/proxy/items", [["x-all-pages", "true"]])).body.toString(), /1\r?\n[^]*2/);
    assert.ok(seen[1].start.includes(`/items?q=${encodeURIComponent(word)}&page=2 `), seen[1].start);

    answers = (target) => (target.includes("c=") ? answer(200, [JSON_TYPE], '{"data":[2]}') : answer(200, [JSON_TYPE, ["x-next", word]], '{"data":[1]}'));
    await call("GET", "/proxy/hdr", [["x-all-pages", "true"]]);
    assert.ok(seen[1].start.includes(`/hdr?c=${encodeURIComponent(word)} `), seen[1].start);

    answers = (target) => (target.startsWith("/to/") ? answer(200, [JSON_TYPE], '{"data":{}}') : answer(302, [["location", `/to/${word}?p=1`]]));
    await eachCase(["/custom/files/7", "/proxy/items/7"], async (path) => {
      assert.equal(status(await call("GET", path)), 200, path);
      assert.ok(seen[1].start.includes(`/to/${encodeURIComponent(word)}?p=1 `), seen[1].start);
    });
  });
});

test("a field reaches the other side with its bytes, or the call is refused", async () => {
  answers = () => answer(200, [["x-author", "Łódź é"], ["x-latin", Buffer.from("Andr\xe9", "latin1")], ["content-disposition", 'attachment; filename="日本.pdf"']], "x");
  const { fields } = await call("GET", "/custom/x", [["x-forward-x-name", "ł é"], ["if-match", '"ł"']]);
  assert.equal(fields["x-author"].toString(), "Łódź é");
  assert.equal(fields["content-disposition"].toString(), 'attachment; filename="日本.pdf"');
  assert.equal(fields["x-latin"].toString(), "Andr\ufffd");
  assert.equal(seen[0].fields["x-name"].toString(), "ł é");
  assert.equal(seen[0].fields["if-match"].toString(), '"ł"');
  assert.equal(seen[0].fields["x-who"].toString(), "café 日本");
  assert.equal(seen[0].fields.authorization.toString(), "Bearer ké-łódź");
  assert.ok(gateway.logs.some(({ message }) => message.includes("header_not_utf8") && message.includes("x-latin")));
  await eachCase(["x-forward-x-name", "if-match", "idempotency-key"], async (name) => {
    const refused = await call("POST", "/proxy/o", [[name, Buffer.from("caf\xe9", "latin1")], JSON_TYPE], "{}");
    assert.equal(status(refused), 400, name);
    assert.ok(refused.body.toString().includes(name));
    assert.equal(seen.length, 0);
  });
  for (let time = 0; time < 2; time++) assert.equal(status(await call("POST", "/proxy/o", [["idempotency-key", "order-ł"], JSON_TYPE], "{}")), 422);
});

test("an answer is read however its content-encoding is spelt, and passed on as it came", async () => {
  const json = '{"data":[1]}';
  const cases = [
    ["GZIP", gzipSync(json)],
    ["x-gzip", gzipSync(json)],
    ["gzip,", gzipSync(json)],
    ["identity, gzip", gzipSync(json)],
    ["gzip, identity", gzipSync(json)],
    ["deflate", deflateSync(json)],
    ["deflate", deflateRawSync(json)],
    ["Identity", json],
    ["none", json],
    ["UTF-8", json],
    ["application/json", json],
    ["gzip", gzipSync(json)],
  ];
  for (const [encoding, body] of cases) {
    answers = () => answer(200, [JSON_TYPE, ["content-encoding", encoding]], body);
    await eachCase(["/proxy/items", "/proxy/items/1"], async (path) => {
      const given = await call("GET", path);
      assert.equal(status(given), 200, `${encoding} ${given.body}`);
      assert.ok(given.body.toString().includes("[1]"));
    });
    if (encoding === "gzip") continue;
    const given = await call("GET", "/custom/x");
    assert.equal(given.fields["content-encoding"]?.toString(), encoding);
    assert.ok(given.body.includes(bytes(body)), encoding);
  }
});

test("what describes a body travels with it, and stays away without one", async () => {
  answers = () => answer(200, [JSON_TYPE], "{}");
  const packed = gzipSync('{"a":1}');
  const fields = [JSON_TYPE, ["content-encoding", "gzip"], ["content-range", "bytes 0-99/300"], ["content-language", "pl"], ["content-md5", "abc"], ["digest", "d"], ["prefer", "return=minimal"]];
  await eachCase(["/proxy/o", "/custom/bulk"], async (path) => {
    assert.equal(status(await call("POST", path, fields, packed)), 200);
    await eachCase(fields, ([name, value]) => assert.equal(seen[0].fields[name]?.toString(), value, `${path} ${name}`));
    assert.ok(seen[0].body.equals(packed));
    assert.equal(seen[0].fields["content-length"].toString(), String(packed.length));
  });
  await eachCase([["GET", "/custom/x"], ["DELETE", "/custom/x"], ["DELETE", "/proxy/o/7"], ["POST", "/proxy/o"], ["GET", "/proxy/items/1"]], async ([method, path]) => {
    await call(method, path, [JSON_TYPE, ["content-language", "pl"]]);
    assert.deepEqual(Object.keys(seen[0].fields).filter((name) => name.startsWith("content-") && name !== "content-length"), [], `${method} ${path}`);
  });
});

test("a webhook is signed over its URL and its headers as they were sent", async () => {
  const { webhook_url: url } = ok(await environment.call("GET", `/integrated-account/${account.id}`), 200);
  const form = "To=%2B15550100&From=%2B15550101&Body=It%27s+%F0%9F%98%80";
  const sorted = "BodyIt's 😀From+15550101To+15550100";
  const sign = (query, title) => createHmac("sha1", "wire-webhook-secret").update(`${url}?${query}${sorted}${title}`).digest("base64");
  const hook = (query, title, signature) =>
    sent("POST", `${new URL(url).pathname}?${query}`, [["content-type", "application/x-www-form-urlencoded"], ["x-title", title], ["x-signature", signature]], form);
  await eachCase(["msg=Couldn't+find+it&n=2", "msg=Couldn%27t&n=%22", "a=%7B'%7D^|{}"], async (query) => {
    await eachCase(["plain", "Grüße", "Łódź"], async (title) => {
      const stored = await hook(query, title, sign(query, title));
      assert.equal(status(stored), 200, `${query} ${title} ${stored.body}`);
      assert.equal(status(await hook(query, title, sign(`${query}x`, title))), 401);
    });
  });
});
