import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { assertError } from "./steps.mjs";

let gateway;
before(async () => {
  gateway = await start();
});
after(() => gateway.stop());

test("health answers without a token, and every answer has a request id", async () => {
  const response = await gateway.fetch("/health");
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type"), /^application\/json/);
  assert.ok(response.headers.get("x-request-id"));
});

test("HEAD of what is open answers as GET, without a body", async () => {
  await eachCase(["/", "/health", "/openapi.json", "/integration.schema.json"], async (path) => {
    const [get, head] = await Promise.all(["GET", "HEAD"].map((method) => gateway.fetch(path, { method })));
    assert.equal(head.status, get.status, path);
    assert.equal(head.headers.get("content-type"), get.headers.get("content-type"), path);
    assert.equal(await head.text(), "", path);
    await get.text();
  });
});

test("without a token, with a wrong one and with a malformed one: 401 in the error envelope", async () => {
  await eachCase([{}, { authorization: "Bearer wrong" }, { authorization: `Basic ${btoa(`x:${gateway.vars.ADMIN_TOKEN}`)}` }], async (headers) => {
    const response = await gateway.fetch("/integration", { headers });
    assertError({ status: response.status, headers: response.headers, body: await response.json() }, 401, "caller.");
  });
});

test("an unknown path is 404 and an undefined method is 405", async () => {
  assertError(await gateway.admin("GET", "/no-such-thing"), 404, "caller.");
  assertError(await gateway.admin("DELETE", "/integration"), 405, "caller.");
});

test("no answer allows other origins", async () => {
  const response = await gateway.fetch("/health", { headers: { origin: "https://elsewhere.example" } });
  assert.equal(response.headers.get("access-control-allow-origin"), null);
});
