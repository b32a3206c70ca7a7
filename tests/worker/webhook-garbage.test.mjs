// 10,000 requests of garbage to both addresses of webhooks, made from a seed: none is answered by 5xx, none leaves anything, none makes
// the gateway send a request, except where a file lets a request name its key, and who sends properly is served afterwards as before.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { assertError, eventually, newEnvironment } from "./steps.mjs";
import { accountUrl, webhookAccount, fileAround, importInto, installFile, installUrl, received, send, sendEvent, standardRequest, webhookCases, wire, wireBytes } from "./webhooks.mjs";

const COUNT = Number(process.env.GARBAGE || 10_000);
const SEED = Number(process.env.SEED || 5);
const AT_ONCE = 32;
const LIMIT = 64 * 1024; // WEBHOOK_BODY_BYTES of this gateway
/** Schemes that look into different places before they refuse: header, list, form, token, body, an address in the body. */
const SCHEMES = ["github", "stripe", "standard-webhooks", "twilio", "jira", "microsoft-graph", "aws-sns", "discord", "sendgrid", "basic", "zoom"];

let gateway, environment;
/** `{path, real}`: both addresses of every scheme; `real` is its own request, to be spoiled. Its account has another secret, so that even the real one is refused. */
let targets;
/** Calls to other places than those of keys (aws-sns). */
const calledOut = [];

before(async () => {
  gateway = await start({ vars: { WEBHOOK_BODY_BYTES: String(LIMIT) }, internet: ({ url }) => outside(url) });
  environment = await newEnvironment(gateway, "garbage");
  const cases = (await webhookCases()).filter(({ name }) => SCHEMES.includes(name));
  assert.equal(cases.length, SCHEMES.length);
  targets = (await Promise.all(cases.map(async ({ name, story, webhook, fields }) => {
    const file = fileAround(`garbage-${name}`, webhook, fields);
    const installed = await installFile(gateway, environment, file);
    const account = await importInto(environment, installed, file, { ...story.context, ...story.wrong_context });
    const answersHead = /method = .HEAD/.test(webhook.handle_verification ?? "");
    return [accountUrl(account), installUrl(installed)].map((path) => ({ path, account, answersHead, real: story.request }));
  }))).flat();
});
after(() => gateway?.stop());

/** Somebody else's key. */
const strangersKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "pem" });

function outside(url) {
  if (!/^https:\/\/sns\.[a-z0-9-]{3,}\.amazonaws\.com(\.cn)?\/SimpleNotificationService-[a-z0-9]{32}\.pem$/.test(url)) calledOut.push(url);
  return new Response(strangersKey);
}

// Chance, the same each time

/** Mulberry32. */
function chance(seed) {
  const next = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (n) => Math.floor(next() * n);
  return { below, one: (list) => list[below(list.length)], bytes: (n) => Buffer.from(Array.from({ length: n }, () => below(256))) };
}

/** Bytes that a header may have; the runtime refuses the others itself. */
const headerText = ({ below }, length) => Array.from({ length }, () => String.fromCharCode(below(4) === 0 ? 0xa0 + below(0x5f) : 0x21 + below(0x5d))).join("");

const TYPES = ["application/json", "application/x-www-form-urlencoded", "text/xml", "multipart/form-data; boundary=x", "application/json; charset=utf-16", "", "a/b/c;;;", "application/jwt", "APPLICATION/JSON"];
const METHODS = ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "GET", "PROPFIND", "PURGE", "LOCK"];
const NUMBERS = ["0", "-1", "1e999", "99999999999999999999", "NaN", "1767225600.5", " ", "٣", "9223372036854775808", "2026-13-45T99:99:99Z"];

/** Each makes a request worse: `(request {method, path, headers, body}, chance) → request`. */
const SPOILERS = {
  "random bytes": (request, { bytes, below }) => ({ ...request, body: bytes(below(2_000)) }),
  "invalid UTF-8 in JSON": (request, { bytes, below }) => ({ ...request, body: Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xff, 0xc0, 0xed, 0xa0, 0x80]), bytes(below(20)), Buffer.from('"}')]) }),
  "deep JSON": (request, { one, below }) => {
    const depth = 1 + below(20_000);
    const [open, close] = one([["[", "]"], ['{"a":', "}"], ['[{"value":', "}]"], ["[", ""]]);
    return { ...request, body: (open.repeat(depth) + "1" + close.repeat(depth)).slice(0, LIMIT - 1) };
  },
  "a form that never ends": (request, { one, below }) => ({ ...request, headers: [["content-type", "application/x-www-form-urlencoded"]], body: `${one(["a[", "%", "&", "a=%zz&", "=&", "a&"])}`.repeat(below(8_000)) }),
  "huge headers": (request, { below, one }) => ({ ...request, headers: [...request.headers, ...Array.from({ length: 1 + below(60) }, (_, n) => [`x-${n}`, "y".repeat(one([1, 100, 1_000]))])] }),
  "one huge header": (request, { below, one }) => ({ ...request, headers: request.headers.map(([name, value], n) => (n === request.headers.length - 1 ? [name, one([value, "v1=a,", "t=1,", "v1,a "]).repeat(below(2_000)).slice(0, 12_000)] : [name, value])) }),
  "wrong content types": (request, { one }) => ({ ...request, headers: [...request.headers.filter(([name]) => name !== "content-type"), ["content-type", one(TYPES)]] }),
  "signatures of garbage": (request, chance) => ({ ...request, headers: request.headers.map(([name, value]) => (name === "content-type" ? [name, value] : [name, headerText(chance, chance.below(300))])) }),
  "times of garbage": (request, { one }) => ({ ...request, headers: request.headers.map(([name, value]) => (/time|version/.test(name) ? [name, one(NUMBERS)] : [name, value.replace(/t=\d+/, `t=${one(NUMBERS)}`)])) }),
  "tokens of garbage": (request, { one, bytes, below }) => ({ ...request, headers: [...request.headers, ["authorization", `${one(["JWT", "Bearer", "Basic", ""])} ${one(["", ".", "..", "...."])}${bytes(below(200)).toString("base64url")}.${bytes(below(200)).toString("base64url")}.`]] }),
  "forged ids": (request, { one, bytes, below }) => ({ ...request, path: one(["/integrated-account-webhook/", "/environment-integration-webhook/"]) + one([bytes(16).toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"), "..%2f..", "%00", "%2e%2e%2f", "a".repeat(below(4_000)), request.path.split("/")[2].toUpperCase(), "x/y", "", "%ff%fe", "evt_1"]) }),
  "queries of garbage": (request, { one, below }) => ({ ...request, path: `${request.path}?${one(["secret=", "bodySHA256=", "%ff=%ff&", "a[b]=", "&", "hub.challenge=", "=", "?"]).repeat(1 + below(300))}` }),
  "odd methods": (request, { one }) => ({ ...request, method: one(METHODS), body: "" }),
  "just under and just over the limit": (request, { one }) => ({ ...request, body: Buffer.alloc(LIMIT + one([-1, 0, 1, 1_000]), one(["a", "[", "1", " ", "&", "="])) }),
  "a real request with a bit turned": (request, { below }) => {
    const body = Buffer.from(request.body);
    if (body.length > 0) body[below(body.length)] ^= 1 << below(8);
    return { ...request, body };
  },
  "headers twice": (request, { one }) => ({ ...request, headers: [...request.headers, one(request.headers.length > 0 ? request.headers : [["x-a", "b"]])] }),
};

/** Bytes that are hardly HTTP; the runtime answers them, or nothing does. */
const BROKEN = {
  "no HTTP": ({ bytes, below }) => bytes(1 + below(500)),
  "a length that is not its": ({ one }, path) => Buffer.from(`POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${one(["-1", "abc", "1, 2", "99999999999999999999"])}\r\n\r\n{}`),
  "chunks of nonsense": ({ one }, path) => Buffer.from(`POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n${one(["zz\r\n{}\r\n0\r\n\r\n", "2\r\n{}\r\n0\r\n\r\n", "ffffffffffffffffff\r\n"])}`),
  "control characters": ({ bytes }, path) => Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-a: `), bytes(20), Buffer.from("\r\ncontent-length: 0\r\n\r\n")]),
};

/** The nth request: `{what, send}`. Every hundredth is hardly HTTP; others are spoiled once or twice. */
function garbage(n) {
  const by = chance(SEED * 1_000_003 + n);
  const { path, real, answersHead } = by.one(targets);
  if (n % 100 === 0) {
    const what = by.one(Object.keys(BROKEN));
    return { what, send: () => wireBytes(gateway, BROKEN[what](by, path), 1_000).catch(() => ({ status: undefined, text: "" })) };
  }
  const what = [by.one(Object.keys(SPOILERS)), ...(by.below(2) ? [by.one(Object.keys(SPOILERS))] : [])];
  const request = what.reduce((before, name) => SPOILERS[name](before, by), { method: "POST", path, headers: Object.entries(real.headers), body: real.body });
  // A HEAD that the file answers is no garbage.
  const sent = answersHead && request.method === "HEAD" ? { ...request, method: "OPTIONS" } : request;
  return { what: what.join(", "), send: () => wire(gateway, sent) };
}

test(`${COUNT.toLocaleString("en")} requests of garbage`, async (t) => {
  const sending = await webhookAccount(gateway, environment);
  await sendEvent(gateway, sending, { type: "wave", wave: 0 });
  await eventually(async () => assert.deepEqual(await gateway.alarms(), []));
  const stored = await gateway.contents();

  const answers = {};
  const began = Date.now();
  let n = 0;
  const worker = async () => {
    while (n < COUNT) {
      const { what, send } = garbage(n++);
      const { status, text } = await send();
      const described = `${what} (SEED=${SEED}): ${status} ${text.slice(0, 300)}`;
      assert.ok(status === undefined || status < 500, described);
      assert.notEqual(status, 200, described);
      answers[status] = (answers[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  t.diagnostic(`answers by status: ${JSON.stringify(answers)}, in ${Date.now() - began} ms`);
  await eachCase([401, 404, 413], (status) => assert.ok(answers[status] > 0, `no ${status}`));

  assert.deepEqual(await gateway.contents(), stored, "something is stored that was not");
  await eachCase(targets, async ({ account: each }) => assert.deepEqual(await received(environment, each), []));
  const lost = gateway.logs.filter(({ message }) => /Critical|Reinitializing|panicked|Module terminated|object_interrupted|RuntimeError/.test(message));
  assert.deepEqual(lost, []);
  assert.deepEqual(calledOut, []);
  const id = await sendEvent(gateway, sending, { type: "wave", wave: 1 });
  assert.equal((await received(environment, sending.account))[0].id, id);
});

test("a body of 1 MiB is taken, one byte more is not", async () => {
  await gateway.restart({ vars: { WEBHOOK_BODY_BYTES: "" } });
  const sending = await webhookAccount(gateway, environment);
  const sized = (bytes) => ({ type: "wave", fill: "x".repeat(bytes - JSON.stringify({ type: "wave", fill: "" }).length) });
  await sendEvent(gateway, sending, sized(1_048_576));
  assertError(await send(gateway, accountUrl(sending.account), standardRequest(sending.secret, sized(1_048_577))), 413, "caller.");
  assert.equal((await received(environment, sending.account)).length, 1);
});

test("a GET with a body is answered as one without", async () => {
  await eachCase(targets, async ({ path }) => {
    const [bare, laden] = [await wire(gateway, { method: "GET", path }), await wire(gateway, { method: "GET", path, body: "{}" })];
    assert.deepEqual([laden.status, laden.body.code], [bare.status, bare.body.code], path);
  });
});
