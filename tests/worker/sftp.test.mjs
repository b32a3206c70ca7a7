// Files of an account in the real runtime: what streams does stream, what breaks off breaks, and a customer connects by the page.
// The SFTP Worker is a fake (fake-sftp.mjs), in another Worker behind the same service binding.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { Readable } from "node:stream";
import { json } from "node:stream/consumers";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { noBrowser, overflows, axe, startBrowser } from "./browser.mjs";
import { plant } from "./canaries.mjs";
import { FINGERPRINT, HOST, HOST_KEY, PASSWORD, PRIVATE_KEY, USER, fakeSftp } from "./fake-sftp.mjs";
import { start } from "./harness.mjs";
import { linkToken } from "./oauth-accounts.mjs";
import { assertError, importAccount, newEnvironment, ok } from "./steps.mjs";

const FILE = path.join(import.meta.dirname, "../../integrations/sftp.json");
const CONTEXT = { host: HOST, port: "2222", username: USER, login: "password", password: PASSWORD, host_key: HOST_KEY };
const KEY = { "content-type": "application/octet-stream" };

let gateway, environment, installed, account;
before(async () => {
  plant("the password of the server", PASSWORD);
  gateway = await start({ sftp: fakeSftp });
  environment = await newEnvironment(gateway, "files");
  const file = JSON.parse(await readFile(FILE, "utf8"));
  ok(await gateway.admin("PUT", "/integration/sftp", file), 200, 201);
  installed = ok(await environment.call("POST", "/environment-integration", { integration_name: "sftp" }), 201);
  account = await importAccount(environment, installed, CONTEXT, { authentication_method: "sftp" });
});
after(() => gateway?.stop());

const target = (path) => `${path}${path.includes("?") ? "&" : "?"}integrated_account_id=${account.id}`;
const call = (method, path, body, headers) => environment.call(method, target(path), body, headers);
const raw = (method, path, init = {}) =>
  gateway.fetch(target(path), { method, ...init, headers: { authorization: `Bearer ${environment.token}`, ...init.headers } });

test("a folder is listed in pages, and all pages as lines", async () => {
  const first = ok(await call("GET", "/proxy/files?limit=1"), 200);
  assert.equal(first.result_count, 1);
  const second = ok(await call("GET", `/proxy/files?limit=1&next_cursor=${first.next_cursor}`), 200);
  assert.notEqual(second.result[0].name, first.result[0].name);
  const lines = await (await raw("GET", "/proxy/files?limit=1", { headers: { "x-all-pages": "true" } })).text();
  assert.ok(lines.trim().split("\n").length >= 2, lines);
});

test("a file is read with its length, and a range of it", async () => {
  const whole = await raw("GET", "/proxy/files/in%2Fa.txt");
  assert.deepEqual([whole.status, whole.headers.get("content-length"), whole.headers.get("accept-ranges")], [200, "10", "bytes"]);
  assert.equal(whole.headers.get("last-modified"), "Fri, 02 Jan 2026 03:04:05 GMT");
  assert.equal(await whole.text(), "0123456789");
  const part = await raw("GET", "/proxy/files/in%2Fa.txt", { headers: { range: "bytes=3-5" } });
  assert.deepEqual([part.status, part.headers.get("content-range"), await part.text()], [206, "bytes 3-5/10", "345"]);
  const behind = await call("GET", "/proxy/files/in%2Fa.txt", undefined, { range: "bytes=10-" });
  assertError(behind, 416, "provider.rejected");
  assert.equal(behind.headers.get("content-range"), "bytes */10");
});

test("300 MB stream through: memory stays flat", async () => {
  const size = 300 * 1024 * 1024;
  await (await raw("GET", "/proxy/files/zeros-1000000")).arrayBuffer();
  const before = await gateway.memory();
  await gateway.forgetPeak();
  const answer = await raw("GET", `/proxy/files/zeros-${size}`);
  assert.equal(answer.headers.get("content-length"), String(size));
  let read = 0;
  for await (const piece of answer.body) read += piece.length;
  assert.equal(read, size);
  const { peak } = await gateway.memory();
  assert.ok(peak - before.now < 100 * 1024 * 1024, `${before.now} → ${peak}`);
});

test("an upload streams; one of unknown length is refused", async () => {
  const content = randomBytes(700_000);
  const known = await raw("PUT", "/proxy/files/out%2Fknown", { body: content, headers: KEY });
  assert.deepEqual([known.status, (await known.json()).size], [200, content.length]);
  // Not sent to its end: a piece sent after the answer would meet a closed connection.
  const url = new URL(target("/proxy/files/out%2Funknown"), gateway.url);
  const unknown = await new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method: "PUT", headers: { authorization: `Bearer ${environment.token}`, ...KEY } }, resolve);
    sent.on("error", reject).write(content.subarray(0, 70_000));
  });
  assert.deepEqual([unknown.statusCode, (await json(unknown)).code], [411, "caller.length_required"]);
  const back = await raw("GET", "/proxy/files/out%2Fknown");
  assert.ok(Buffer.from(await back.arrayBuffer()).equals(content));
  const small = await raw("PUT", "/proxy/files/out%2Fsmall", { body: "small", headers: KEY });
  assert.equal((await small.json()).size, 5);
  const empty = await raw("PUT", "/proxy/files/out%2Fempty", { body: "", headers: KEY });
  assert.equal((await empty.json()).size, 0);
});

test("100 MB are uploaded without being held", async () => {
  const size = 100 * 1024 * 1024;
  const piece = new Uint8Array(1024 * 1024);
  function* pieces() {
    for (let n = 0; n < size; n += piece.length) yield piece;
  }
  const before = await gateway.memory();
  await gateway.forgetPeak();
  const url = new URL(target("/proxy/files/out%2Flarge"), gateway.url);
  const headers = { authorization: `Bearer ${environment.token}`, "content-length": size };
  const answer = await new Promise((resolve, reject) => {
    Readable.from(pieces()).pipe(httpRequest(url, { method: "PUT", headers }, resolve).on("error", reject));
  });
  assert.equal((await json(answer)).size, size);
  const { peak } = await gateway.memory();
  assert.ok(peak - before.now < 100 * 1024 * 1024, `${before.now} → ${peak}`);
});

test("a file that breaks off breaks the answer", async () => {
  await assert.rejects(async () => (await raw("GET", "/proxy/files/breaks")).arrayBuffer());
});

test("an upload that breaks off is not taken for a file", async () => {
  const url = new URL(target("/proxy/files/out%2Fbroken"), gateway.url);
  await new Promise((resolve) => {
    const sent = httpRequest(url, { method: "PUT", headers: { authorization: `Bearer ${environment.token}`, "content-length": 400_000 } });
    sent.on("error", resolve).on("close", resolve);
    sent.write(Buffer.alloc(200_000));
    setTimeout(() => sent.destroy(), 300);
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  assertError(await call("POST", "/proxy/files/stat", { path: "/out/broken" }), 404, "provider.rejected");
});

test("files are moved and deleted, and a write with a key is made once", async () => {
  ok(await call("POST", "/proxy/files/rename", { from: "/out/small", to: "/done/small" }), 200);
  assert.equal(await (await raw("GET", "/proxy/files/done%2Fsmall")).text(), "small");
  const headers = { "idempotency-key": "delete-1" };
  ok(await call("DELETE", "/proxy/files/done%2Fsmall", undefined, headers), 200);
  const again = await call("DELETE", "/proxy/files/done%2Fsmall", undefined, headers);
  assert.deepEqual([again.status, again.headers.get("idempotency-replayed")], [200, "true"]);
  const gone = assertError(await call("DELETE", "/proxy/files/done%2Fsmall"), 404, "provider.rejected");
  assert.deepEqual(gone.raw_response, { kind: "not_found", message: "refused: not_found", sftp_status: 2, server_message: "No such file" });
});

test("a path that leads elsewhere is refused", async () => {
  for (const path of ["..%2Fx", "a%2F..%2F..%2Fb", "a%5Cb", "a%00b"]) {
    assertError(await call("GET", `/proxy/files/${path}`), 422, "caller.invalid");
  }
});

test("abandoned reads leave nothing behind", async () => {
  for (let n = 0; n < 20; n += 1) {
    const stop = new AbortController();
    const answer = await raw("GET", "/proxy/files/zeros-500000000", { signal: stop.signal });
    await answer.body.getReader().read();
    stop.abort();
  }
  ok(await call("GET", "/proxy/files?limit=1"), 200);
});

test("the host key of the server is shown", async () => {
  const shown = ok(await environment.call("POST", `/integrated-account/${account.id}/host-key`), 200);
  assert.deepEqual(shown, { host_key: HOST_KEY, fingerprint: FINGERPRINT, is_pinned: true, context_keys: ["host_key"] });
});

test("an import with a wrong login, or without a host key, stores nothing", async () => {
  const body = (change) => ({ tenant_id: "t", environment_integration_id: installed.id, authentication_method: "sftp", context: { ...CONTEXT, ...change } });
  assertError(await environment.call("POST", "/integrated-account", body({ password: "wrong-password" })), 422, "account.connection_error");
  const missing = assertError(await environment.call("POST", "/integrated-account", body({ host_key: null })), 409, "account.host_key_missing");
  assert.equal(missing.details.fingerprint, FINGERPRINT);
  const { result } = ok(await environment.call("GET", "/integrated-account"), 200);
  assert.equal(result.length, 1);
});

test("without the Worker the answer says what to do", async () => {
  const bare = await start();
  try {
    const environment = await newEnvironment(bare, "bare");
    ok(await bare.admin("PUT", "/integration/sftp", JSON.parse(await readFile(FILE, "utf8"))), 200, 201);
    const installed = ok(await environment.call("POST", "/environment-integration", { integration_name: "sftp" }), 201);
    const body = { tenant_id: "t", environment_integration_id: installed.id, authentication_method: "sftp", context: CONTEXT };
    assertError(await environment.call("POST", "/integrated-account", body), 501, "internal.sftp_missing");
  } finally {
    await bare.stop();
  }
});

describe("in a browser", { skip: noBrowser }, () => {
  let browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.stop());

  test("a customer pastes a private key, compares the host key, and is connected", async () => {
    const page = await browser.page("phone");
    const { url } = await linkToken(environment, { integration: "sftp" });
    await page.goto(url);
    await page.getByRole("link", { name: "Yes, continue" }).click();
    await page.getByLabel("Server", { exact: true }).fill(HOST);
    await page.getByLabel("Port").fill("2222");
    await page.getByLabel("User name").fill(USER);
    await page.getByLabel("Log in with").selectOption({ label: "A private key" });
    await page.getByLabel("Private key", { exact: true }).fill(PRIVATE_KEY);
    assert.deepEqual(await axe(page), []);
    assert.equal(await overflows(page), false);
    await page.locator("form button").first().click();
    const text = await page.locator("body").innerText();
    assert.ok(text.includes(FINGERPRINT) && text.includes(HOST_KEY), text);
    // The form again, with what is no secret.
    assert.equal(await page.getByLabel("User name").inputValue(), USER);
    assert.equal(await page.getByLabel("Private key", { exact: true }).inputValue(), "");
    await page.getByLabel("Private key", { exact: true }).fill(PRIVATE_KEY);
    await page.getByLabel("Host key of the server").fill(HOST_KEY);
    await page.locator("form button").first().click();
    assert.match(await page.locator("body").innerText(), /SFTP is connected/);
  });
});
