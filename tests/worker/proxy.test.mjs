// One API call through to the end, against a real product: verdaccio, a package registry.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { publication, startRegistry } from "./registry.mjs";
import { assertError, eventually, importAccount, install, newEnvironment, ok } from "./steps.mjs";

let registry, gateway, environment, installed, account, pier;

before(async () => {
  registry = await startRegistry();
  pier = await registry.publish("pier", "1.0.0", { "ship.bin": randomBytes(70_000) }); // above the 64 KiB that are read at once
  gateway = await start({ internet: "real" });
  environment = await newEnvironment(gateway, "proxy");
  installed = await install(gateway, environment, "registry");
  account = await importAccount(environment, installed, credentials());
});
after(async () => {
  await gateway?.stop();
  await registry?.stop();
});
beforeEach(() => {
  registry.received.length = 0;
});

const credentials = () => ({
  registry_url: registry.url,
  username: registry.username,
  password: registry.password,
  token: registry.token,
});
const through = (path, of = account) => `${path}${path.includes("?") ? "&" : "?"}integrated_account_id=${of.id}`;

test("list: the envelope, and the caller's own query reaches the provider, ours does not", async () => {
  const body = ok(await environment.call("GET", through("/proxy/packages?text=pier&limit=5")), 200);
  assert.deepEqual(body.result.map((entry) => entry.package.name), ["pier"]);
  assert.equal(body.next_cursor, null);
  assert.equal(body.result_count, 1);
  const [request] = registry.received;
  assert.equal(new URL(request.url, registry.url).searchParams.get("text"), "pier");
  assert.ok(!request.url.includes("integrated_account_id"));
  assert.equal(request.headers.authorization, `Bearer ${registry.token}`);
});

test("get: the provider's document as it is", async () => {
  const direct = await fetch(`${registry.url}/pier`, { headers: { authorization: `Bearer ${registry.token}` } });
  const response = await gateway.fetch(through("/proxy/packages/pier"), { headers: { authorization: `Bearer ${environment.token}` } });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), await direct.text());
});

test("a method may sign in its own way: basic instead of the token", async () => {
  assert.equal(ok(await environment.call("GET", through("/proxy/session/whoami")), 200).username, registry.username);
  assert.match(registry.received[0].headers.authorization, /^Basic /);
});

test("create: a package is published through the gateway, byte for byte", async () => {
  const quay = publication({ url: registry.url, name: "quay", version: "2.0.0", files: { "index.js": "module.exports = 'Überfahrt'" } });
  ok(await environment.call("POST", through("/proxy/packages"), quay.document), 200, 201);
  const stored = await fetch(`${registry.url}/quay/-/${quay.filename}`, { headers: { authorization: `Bearer ${registry.token}` } });
  assert.deepEqual(Buffer.from(await stored.arrayBuffer()), quay.tarball);
});

test("update and delete: a tag comes and goes", async () => {
  ok(await environment.call("PATCH", through("/proxy/tags/beta?package=pier"), '"1.0.0"'), 200, 201);
  assert.equal(ok(await environment.call("GET", through("/proxy/tags/pier")), 200).beta, "1.0.0");
  const gone = await environment.call("DELETE", through("/proxy/tags/beta?package=pier"));
  assert.ok(gone.status < 300, JSON.stringify(gone.body));
  assert.equal(ok(await environment.call("GET", through("/proxy/tags/pier")), 200).beta, undefined);
});

for (const path of ["/proxy/tarballs/pier-1.0.0.tgz?package=pier", "/custom/pier/-/pier-1.0.0.tgz"]) {
  test(`a tarball comes byte for byte: ${path}`, async () => {
    const response = await gateway.fetch(through(path), { headers: { authorization: `Bearer ${environment.token}` } });
    assert.equal(response.status, 200);
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), pier.tarball);
  });
}

test("the provider's 404 keeps its status and is marked as the provider's", async () => {
  const answer = await environment.call("GET", through("/proxy/packages/no-such-package"));
  const error = assertError(answer, 404, "provider.");
  assert.equal(error.is_remote_error, true);
  assert.match(error.raw_response.error, /no such package/);
});

test("ours are not: unknown resource 404, undefined method 405, no account 4xx, nothing sent", async () => {
  assert.equal(assertError(await environment.call("GET", through("/proxy/nothing")), 404, "caller.").is_remote_error, undefined);
  assertError(await environment.call("DELETE", through("/proxy/packages/pier")), 405, "caller.");
  const { status } = await environment.call("GET", "/proxy/packages");
  assert.ok(status === 400 || status === 422, `got ${status}`);
  assert.deepEqual(registry.received, []);
});

test("the caller's text is neither a template nor a way out of the path", async () => {
  await environment.call("GET", through("/proxy/packages/%7B%7Btoken%7D%7D"));
  await environment.call("GET", through("/proxy/packages/a%2Fb"));
  await eachCase(registry.received, ({ url }) => assert.ok(!url.includes(registry.token)));
  assert.ok(registry.received.every(({ url }) => !url.startsWith("/a/b")));
  registry.received.length = 0;
  await environment.call("GET", through("/proxy/packages/%2E%2E"));
  assert.deepEqual(registry.received, []);
});

test("the caller's credentials and our own headers stay with us", async () => {
  const headers = { cookie: "a=b", "x-forward-authorization": "Bearer mine", "x-causeway-account": "x", "x-forward-x-team": "blue", "cf-ray": "1" };
  ok(await environment.call("GET", through("/proxy/packages/pier"), undefined, headers), 200);
  const [{ headers: sent }] = registry.received;
  assert.equal(sent.authorization, `Bearer ${registry.token}`);
  assert.equal(sent["x-team"], "blue");
  assert.match(sent["user-agent"], /^causeway\//);
  assert.ok(Object.keys(sent).every((name) => name !== "cookie" && name !== "cf-ray" && !name.startsWith("x-causeway") && !name.startsWith("x-forward")));
});

/** The storage before a call and after it. The line of its log is written 1 s later: a slow machine tries again. */
function storageAround(path) {
  return eventually(async () => {
    await gateway.restart(); // nothing gathered in memory waits to be written
    const files = await gateway.storage();
    const started = Date.now();
    ok(await environment.call("GET", through(path)), 200);
    const now = await gateway.storage();
    assert.ok(Date.now() - started < 900, "too slow to tell");
    return { files, now };
  }, 120);
}

test("a proxied call writes nothing to storage before its answer", async () => {
  await gateway.restart(); // nothing gathered in memory waits to be written
  await eventually(async () => assert.deepEqual(await gateway.alarms(), []), 15); // nor does an alarm
  const stored = await gateway.contents();
  ok(await environment.call("GET", through("/proxy/packages/pier")), 200);
  assert.deepEqual(await gateway.contents(), stored, "the first call, which loads the account");

  await eachCase(["/proxy/packages/pier", "/proxy/packages?text=pier", "/custom/pier", "/proxy/session/whoami"], async (path) => {
    const { files, now } = await storageAround(path);
    assert.deepEqual(now, files, path);
  });

  const files = await gateway.storage();
  await importAccount(environment, installed, credentials()); // a write, to know that one would be seen
  assert.notDeepEqual(await gateway.storage(), files);
  assert.notDeepEqual(await gateway.contents(), stored);
});

test("the account outlives the object, and the runtime", async () => {
  assert.ok((await gateway.evict("Account")) > 0);
  ok(await environment.call("GET", through("/proxy/packages/pier")), 200);
  await gateway.restart();
  ok(await environment.call("GET", through("/proxy/packages/pier")), 200);
});

test("private and plain-http upstreams are refused unless they are allowed", async () => {
  await gateway.restart({ vars: { ALLOW_PRIVATE_UPSTREAMS: "false" } });
  try {
    const answer = await environment.call("GET", through("/proxy/packages/pier"));
    assertError(answer, 422, "integration.upstream_refused");
    assert.deepEqual(registry.received, []);
  } finally {
    await gateway.restart({ vars: { ALLOW_PRIVATE_UPSTREAMS: "true" } });
  }
});
