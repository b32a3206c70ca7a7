// Every scheme of tests/cases/webhooks in the real runtime: a good request is stored, everything else is refused with one and the
// same answer, and leaves nothing. The requests are signed now (signers.mjs), for the runtime's clock cannot be moved; and they go
// over raw sockets, as the runtime joins a header that is there twice. What a scheme has not (a time, an algorithm) is said in the output.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { signerOf } from "./signers.mjs";
import { eventually, newEnvironment, ok } from "./steps.mjs";
import { accountUrl, assertEventId, fileAround, importInto, installFile, received, webhookCases, wire } from "./webhooks.mjs";

const DAY = 86_400;
const cases = (await webhookCases()).map((one) => ({ ...one, signer: signerOf(one) }));

let gateway, environment;
/** Addresses outside → what they answer; those of keys. What else is called answers 200, and is noted. */
const published = new Map(cases.flatMap(({ signer }) => (signer.published ? [[signer.published.url, signer.published.body]] : [])));
const called = [];
/** How many requests were refused so far; each leaves one line in the log. */
let refusals = 0;

before(async () => {
  gateway = await start({ internet: outside });
  environment = await newEnvironment(gateway, "schemes");
});
after(() => gateway?.stop());

function outside({ url }) {
  called.push(url);
  return new Response(published.get(url) ?? "", { headers: { "content-type": "text/plain" } });
}

const origin = () => gateway.url.origin;
const lines = ({ headers }) => Object.entries(headers);
const onWire = (request) => ({ ...request, headers: lines(request) });

/** `{file, installed}` of a case; installed once. */
async function installCase(one) {
  if (one.installed) return one;
  one.file = fileAround(`case-${one.name}`, one.webhook, one.fields);
  one.installed = await installFile(gateway, environment, one.file);
  return one;
}

/** An account of a case, with another context if it is given. */
async function accountOf(one, context = one.signer.context) {
  const { installed, file } = await installCase(one);
  return importInto(environment, installed, file, context);
}

// What is refused

/** What must be refused of a scheme: `[what, request]`, or `[what, why it cannot be tried]`. */
function attacksOf({ signer, story }, path) {
  const sign = (options) => onWire(signer.sign({ origin: origin(), path, ...options }));
  const good = signer.sign({ origin: origin(), path });
  return [
    ["another secret", sign({ wrong: true })],
    ["a byte of the body changed", signer.provesBody ? { ...onWire(good), body: changed(good.body, story) } : "it proves the sender, not the body"],
    ["the signature cut", cut(signer, good)],
    ...(signer.otherAlgorithms.length > 0 ? signer.otherAlgorithms.map((algorithm) => [`another algorithm, ${algorithm}`, sign({ algorithm })]) : [["another algorithm", "it has none"]]),
    ...timesOf(signer).map(([what, at]) => [what, typeof at === "string" ? at : sign({ at })]),
    ["the signature missing", without(signer, good)],
    ...twice(signer, good),
  ];
}

function changed(text, story) {
  const body = Buffer.from(text);
  // Of this one not all of the body is signed: the message is.
  const at = story.signature?.replace ? body.indexOf("Hello") : Math.floor(body.length / 2);
  body[at] ^= 1;
  return body;
}

function timesOf({ tolerance, isTimed }) {
  const seconds = tolerance ? tolerance + 60 : isTimed && DAY;
  const at = (sign) => (seconds ? new Date(Date.now() + sign * seconds * 1_000) : "no time is signed");
  return [["too old", at(-1)], ["too new", at(1)]];
}

/** The request with another text at the place of its signature; nothing: without it. */
function replaced({ place }, request, change) {
  const { kind, name } = place;
  if (kind === "header") {
    const text = change(request.headers[name]);
    return { ...request, headers: lines(request).flatMap(([own, value]) => (own !== name ? [[own, value]] : text === undefined ? [] : [[own, text]])) };
  }
  const { signature } = request;
  const from = kind === "query" ? `${name}=${signature}` : signature;
  const to = kind === "query" && change(signature) !== undefined ? `${name}=${change(signature)}` : change(signature) ?? "";
  const part = kind === "query" ? "path" : "body";
  assert.ok(request[part].includes(from), `${from} is not in the ${part}`);
  return { ...onWire(request), [part]: request[part].replaceAll(from, to) };
}
const cut = (signer, request) => replaced(signer, request, (text) => text.slice(0, -5));
const without = (signer, request) => replaced(signer, request, () => undefined);

/** A header or parameter of the scheme there twice; the runtime makes one of two headers, joined by a comma. */
function twice({ place: { kind, name }, timeHeader }, request) {
  if (kind === "body") return [["the signature twice", "it is in the body"]];
  if (kind === "query") return [["the signature twice", { ...onWire(request), path: `${request.path}&${name}=${request.signature}` }]];
  const again = (header, value) => ({ ...request, headers: [[header, value], ...lines(request)] });
  const other = request.headers[name].replace(/[0-9a-zA-Z]/g, "0");
  return [
    ["the signature twice", again(name, request.headers[name])],
    ["another signature in front of it", again(name, other)],
    ...(timeHeader ? [["the time twice", again(timeHeader, request.headers[timeHeader])]] : []),
  ];
}

/** The one answer to every mistake. */
const REFUSAL = { statusCode: 401, error: "Unauthorized", code: "caller.bad_signature" };
let refusalText;
function assertRefused(answer, what) {
  assert.equal(answer.status, 401, `${what}: ${answer.status} ${answer.text}`);
  const { request_id, message, ...rest } = answer.body;
  assert.deepEqual(rest, REFUSAL, what);
  assert.equal(message, (refusalText ??= message), `${what}: the answers differ`);
  assert.equal(request_id, answer.headers.get("x-request-id"));
  refusals += 1;
}

test("the signers make what the providers' libraries made", () => {
  let same = 0;
  for (const { name, story, signer } of cases) {
    const { origin, pathname } = new URL(story.request.url);
    const isOurs = (signer.published === undefined && Object.entries(signer.context).every(([key, value]) => story.context[key] === value));
    const isOne = !/v1=.*v1=|AAAA/.test(JSON.stringify(story.request.headers)); // some list signatures of a secret we have not
    if (!isOurs || !isOne) continue;
    const { method, path, headers, body } = signer.sign({ origin, path: pathname, at: new Date(story.now) });
    assert.deepEqual({ method, url: origin + path, headers, body }, story.request, name);
    same += 1;
  }
  assert.ok(same > 30, `${same}`);
});

for (const one of cases) {
  test(`scheme ${one.name}`, async (t) => {
    const account = await accountOf(one);
    const path = accountUrl(account);
    await eachCase(attacksOf(one, path), async ([what, request]) => {
      if (typeof request === "string") t.diagnostic(`${one.name}: not tried: ${what} (${request})`);
      else assertRefused(await wire(gateway, request), `${one.name}: ${what}`);
    });
    assert.deepEqual(await received(environment, account), [], "something refused was stored");

    const good = await wire(gateway, onWire(one.signer.sign({ origin: origin(), path })));
    const { id, ids = [id] } = ok(good, 200);
    await eachCase(ids, (each) => { assertEventId(each, account); });
    const events = await received(environment, account);
    assert.deepEqual(events.map((event) => event.id).sort(), [...ids].sort());
    assert.deepEqual(events.filter(({ last_error }) => last_error !== null), []);
    const listed = (list, keys) => list.map((event) => JSON.stringify(keys.map((key) => event[key] ?? null))).sort();
    const { events: expected } = one.story.expect;
    if (!expected) return;
    assert.deepEqual(listed(events, ["event"]), listed(expected, ["event_type"]));
    const resource = Object.keys(expected[0]).filter((key) => key.startsWith("resource_"));
    assert.deepEqual(listed(events, resource), listed(expected, resource));
  });
}

for (const one of cases) {
  for (const [n, handshake] of (one.story.handshakes ?? []).entries()) {
    test(`handshake ${n + 1} of ${one.name}`, async () => {
      const account = await accountOf(one, handshake.context);
      const path = accountUrl(account);
      called.length = 0;
      const answer = await wire(gateway, shaken(one, handshake, path));
      if (handshake.answer) assertHandshake(answer, handshake.answer);
      else assertNoHandshake(answer, handshake);
      assert.deepEqual(await received(environment, account), [], "a handshake is no event");
      const confirmed = handshake.answer?.confirm_url;
      if (confirmed) await eventually(() => assert.ok(called.includes(confirmed), `${called}`));
      else assert.deepEqual(called.filter((url) => !published.has(url)), []);
      if (handshake.answer?.update_context) ok(await wire(gateway, onWire(one.signer.sign({ origin: origin(), path }))), 200);
    });
  }
}

/** The request of a handshake, signed now if it is a signed one. */
function shaken({ signer }, { request, proof }, path) {
  const [, query] = request.url.split("?");
  const target = query ? `${path}?${query}` : path;
  if (proof === "unsigned") return { ...request, path: target, headers: lines(request) };
  return onWire(signer.sign({ origin: origin(), path, of: request }));
}

/** One without a proof is refused, as is one whose answer may not be given; a signed one that is none is an event, of which the file makes nothing. */
function assertNoHandshake(answer, { proof, refused, request }) {
  if (proof === "unsigned") assertRefused(answer, JSON.stringify(request));
  else if (refused) assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.text}`);
  else assert.deepEqual(ok(answer, 200), { ids: [] });
}

function assertHandshake(answer, { status, body = "", json, content_type, headers = {} }) {
  assert.equal(answer.status, status, answer.text);
  if (json) assert.deepEqual(answer.body, json);
  else assert.equal(answer.text, body);
  if (content_type) assert.ok(answer.headers.get("content-type").startsWith(content_type), answer.headers.get("content-type"));
  for (const [name, value] of Object.entries(headers)) assert.equal(answer.headers.get(name), value, name);
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  assert.match(answer.headers.get("content-security-policy"), /sandbox/);
}

test("what has no proof in its file is refused, `none` has to be written", async () => {
  await eachCase([["proof-absent", {}, 401], ["proof-none", { signature_verification: { format: "none" } }, 200]], async ([name, webhook, status]) => {
    const account = await accountOf({ name, webhook, signer: { context: {} } });
    const answer = await wire(gateway, { path: accountUrl(account), headers: [["content-type", "application/json"]], body: "{}" });
    if (status === 401) assertRefused(answer, name);
    else assertEventId(ok(answer, status).id, account);
  });
});

test("the log has a line with the reason of every refusal, and no secret", async () => {
  const refused = await eventually(() => {
    const found = gateway.logs.map(({ message }) => message).filter((message) => message.includes("webhook_refused")).map((message) => JSON.parse(message));
    assert.ok(found.length >= refusals, `${found.length} lines of ${refusals} refusals`);
    return found;
  });
  await eachCase(refused, async (line) => {
    assert.equal(line.level, "warn");
    await eachCase(["code", "reason", "integration", "integrated_account_id", "request_id"], (key) => assert.ok(line[key]?.length > 0, `${key} in ${JSON.stringify(line)}`));
  });
  const text = JSON.stringify(gateway.logs);
  await eachCase(cases, ({ name, signer }) => {
    const { webhook_secret: secret } = signer.context;
    if (secret?.length > 8) assert.ok(!text.includes(secret), `the secret of ${name} is in the log`);
  });
});

test("many at once, whose key is not fetched yet: all are served", async () => {
  await eachCase(cases.filter(({ signer }) => signer.published), async (one) => {
    await gateway.restart();
    called.length = 0;
    const account = await accountOf(one);
    const sent = Array.from({ length: 20 }, () => wire(gateway, onWire(one.signer.sign({ origin: origin(), path: accountUrl(account) }))));
    const statuses = (await Promise.all(sent)).map(({ status }) => status);
    assert.deepEqual(statuses.filter((status) => status !== 200), [], `${one.name}: the key was fetched ${called.length} times`);
  });
});
