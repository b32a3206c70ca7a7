// An integration file that attacks: for all that its expressions and placeholders try, its caller gets a clear error soon, and
// the isolate goes on answering others.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "./harness.mjs";
import { assertError, apiKeyAccount, importAccount, newEnvironment, ok } from "./steps.mjs";

const SOON = 20_000; // far above what each takes, on a busy machine too
const answer = { text: "x".repeat(1 << 20), words: "a,b,c" }; // the provider's; what too_large.txt blows up

const recursions = ["1 + $f($a)", "$f($a)", "$a ~> $f", "[$f($a)]", "{'a': $f($a)}", "[1].$f($)", "$ ~> |$|{'a': $f(1)}|", '$replace("a", /a/, $f)', '$match("a", $f)',
  "$map([1..9], $f)", "$filter([1], $f)", "$single([1], $f)", "$sort([1, 2], $f)", "$each({'a': 1}, $f)", "$sift({'a': 1}, $f)", "$reduce([1, 2], $f)",
  // What takes most stack for each level the engine counts.
  `${"true ? ".repeat(60)}$map([1], $f)`, `${"(".repeat(60)}$sort([1, 2], $f)${")".repeat(60)}`, "$map([1], $f(?, 1))", "$sort([1, 2], function($x, $y) { ---$f(1) })",
  '$replace("a", /a/, function($m) { $z := $f(1) })', "$map([1], function($x) { $filter([1], $f) })"];
const growing = ["[[$p]]", "{'a': $p}", "function() { $p }", "$x = 1 ? $f(?) : $p(?)", "$x = 1 ? $f : $p ~> $f"]; // what the engine drops by recursion
const endless = [
  ...recursions.map((call) => `($f := function($a, $b) { ${call} }; $f(1, 2))`),
  ...growing.map((step) => `($f := function($v) { $v }; $reduce([1..90000], function($p, $x) { ${step} }, 1); 1)`),
  "($f := function() { $g() }; $g := function() { $f() }; $f())",
  "($y := function($f) { $f($f) }; $y($y))",
  "[1..1e12]",
  "[1..99999].$sum([1..99999].$sum([1..99999]))",
  "$sort([1..90000], function($a, $b) { $random() > 0.5 })",
];
const backtracking = ["/(x+x+)+y/", "/(x*)*y/", "/^(([a-z])+.)+[A-Z]([a-z])+$/", "/(x|xx)+y/"];

let gateway, hostile, healthy;
let received = 0; // requests to the hostile provider
async function internet(request) {
  if (request.url.includes("api-key")) {
    await sleep(50);
    return Response.json({});
  }
  received += 1;
  await request.arrayBuffer();
  return Response.json(answer);
}
before(async () => {
  gateway = await start({ internet });
  hostile = await newEnvironment(gateway, "hostile");
  healthy = await apiKeyAccount(gateway);
});
after(() => gateway.stop());

/** Publishes these methods and connects an account: calls the nth, while another caller's call is in progress. */
async function published(name, methods, context = {}) {
  const config = {
    base_url: "https://api.hostile.example",
    credentials: { api_key: { format: "api_key", config: { fields: [{ name: "api_key", type: "password" }] } } },
    resources: Object.fromEntries(methods.map((method, n) => [`r${n}`, { create: { method: "post", path: "/x", ...method } }])),
  };
  ok(await gateway.admin("PUT", `/integration/${name}`, { name, config }), 201);
  const installed = ok(await hostile.call("POST", "/environment-integration", { integration_name: name }), 201);
  const { id } = await importAccount(hostile, installed, { api_key: "k", ...context });
  return async (n, body = {}) => {
    const other = healthyCall();
    const headers = { authorization: `Bearer ${hostile.token}`, "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.timeout(SOON) };
    const response = await gateway.fetch(`/proxy/r${n}?integrated_account_id=${id}`, init);
    const { code } = await response.json();
    assert.equal(await other, 200, "another caller's call");
    return { status: response.status, code };
  };
}

async function healthyCall() {
  const headers = { authorization: `Bearer ${healthy.environment.token}` };
  const { status } = await gateway.fetch(`/proxy/ships/1?integrated_account_id=${healthy.account.id}`, { headers, signal: AbortSignal.timeout(SOON) });
  return status;
}

/** Others are served, by an isolate that was not restarted. */
async function assertUnharmed() {
  assert.equal(await healthyCall(), 200);
  const lost = gateway.logs.filter(({ message }) => /Critical|Reinitializing|panicked|Module terminated|object_interrupted/.test(message));
  assert.deepEqual(lost, []);
}

// The provider's status, for the write was made.
const failed = { status: 200, code: "integration.expression_failed" };

test("expressions without an end", async (t) => {
  const call = await published("endless", endless.map((error_expression) => ({ error_expression })));
  for (const [n, source] of endless.entries()) {
    await t.test(source, async () => {
      assert.deepEqual(await call(n), failed);
      await assertUnharmed();
    });
  }
});

test("an authorization without an end", async () => {
  const call = await published("endless-authorization", [{ authorization: { format: "header", config: { expression: endless[0] } } }]);
  assert.deepEqual(await call(0), { ...failed, status: 500 }, "nothing was sent");
  await assertUnharmed();
});

test("expressions that would fill the memory", async (t) => {
  const file = path.join(import.meta.dirname, "../../src/expression/jsonata/metering/tests/too_large.txt");
  const sources = (await readFile(file, "utf8")).trim().split("\n").map((source) => source.replaceAll(/\b(text|words)\b/g, "body.$1"));
  const call = await published("too-large", sources.map((error_expression) => ({ error_expression })));
  for (const [n, source] of sources.entries()) await t.test(source, async () => assert.deepEqual(await call(n), failed));
  await assertUnharmed();
});

test("regular expressions that would backtrack do not", async (t) => {
  const call = await published("backtracking", backtracking.map((pattern) => ({ error_expression: `$contains(body.text, ${pattern})` })));
  for (const [n, pattern] of backtracking.entries()) await t.test(pattern, async () => assert.deepEqual(await call(n), { status: 200, code: undefined }));
});

test("what is too large or too deep to be read is refused when it is saved", async (t) => {
  const refused = {
    "a huge repetition": "$match(body.text, /((x{1000}){1000}){1000}/)",
    "brackets": `${"(".repeat(5_000)}1${")".repeat(5_000)}`,
    "operators": `${"1+".repeat(5_000)}1`,
    "a long text": `"${"x".repeat(20_000)}"`,
    "$eval": '$eval("1")',
  };
  for (const [name, error_expression] of Object.entries(refused)) {
    await t.test(name, async () => {
      const config = { base_url: "https://api.hostile.example", error_expression };
      assertError(await gateway.admin("PUT", "/integration/refused", { name: "refused", config }), 422, "caller.invalid");
      await assertUnharmed();
    });
  }
});

test("placeholders that would fill the memory", async (t) => {
  const big = "x".repeat(200 * 1024);
  const many = (name) => `{{${name}}}`.repeat(100);
  const places = {
    "a body": { body: { a: many("big") } },
    "a body of many texts": { body: Array(100).fill("{{big}}") },
    "a header": { headers: { "x-big": many("big") } },
    "a query": { query: { big: many("big") } },
    "a path": { path: `/x/${many("big")}` },
    "the caller's body again and again": { body: { a: many("body") } },
  };
  const call = await published("placeholders", Object.values(places), { big });
  for (const [n, name] of Object.keys(places).entries()) {
    await t.test(name, async () => {
      const before = received;
      const { status, code } = await call(n, { text: big });
      assert.match(`${status} ${code}`, /^[45]\d\d (integration|caller)\./);
      assert.equal(received, before, "it was sent");
      await assertUnharmed();
    });
  }
});
