// The dearest expressions there are, in the runtime itself: each ends with the failure of an expression after some seconds of
// computation at most. The native tests check what is counted; these check what a step takes.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertError, ok } from "./steps.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";

/** Of the runtime's processor time, so that other work of the machine does not count. Without bounds the join alone took 133 s. */
const MOST_MS = 10_000;

// `a` is the caller's list; `t` a text, `r` a list of objects.
const dearest = {
  "a list compared with itself": "($v := a; $v.($x := $; $v[$ = $x]))",
  "objects compared": "$count([1..1000].($$.r = $$.r))",
  "functions made": "$count([1..100000].(function($x) { $x + $x + $x + $x + $x + $x + $x + $x + $x + $x }))",
  "functions put together": "($f := function($a) { $a + 1 }; $g := $f ~> $f ~> $f ~> $f; $count($map([1..100000], $g)))",
  "calls without an end": "($f := function() { $f() }; $f())",
  "regular expressions": "$count([1..100000].$match($$.t, /\\d+/))",
  "a regular expression of many places": "$count([1..1000].$contains($$.t, /[xy]*x[xy]{400}z/))",
  "what is distinct": "$count($distinct([1..30000]))",
  "tuples": "$count(a@$x.a@$y.$x)",
  "a transform": "$count($ ~> |r|{\"z\": 1}|)",
  "steps of a path": `$count(a${".(1)".repeat(150)})`,
};

let scripted;
before(async () => {
  const action = (expression) => ({ steps: [{ type: "transform", config: { expression } }] });
  const actions = Object.fromEntries(Object.values(dearest).map((expression, n) => [`a${n}`, action(expression)]));
  scripted = await startScriptedProvider({ config: { actions } });
});
after(() => scripted?.stop());

/** The processor time that the gateway takes for this, in milliseconds. */
async function processorTimeOf(work) {
  const before = await scripted.gateway.processorTime();
  const outcome = await work();
  return [outcome, (await scripted.gateway.processorTime()) - before];
}

const records = Array.from({ length: 2_000 }, (_, n) => ({ id: n, name: `n${n}`, tags: ["a", "b"] }));
const given = { a: Array.from({ length: 20_000 }, (_, n) => n), t: "xy".repeat(25_000), r: records };

describe("the dearest expressions", () => {
  for (const [n, name] of Object.keys(dearest).entries()) {
    test(name, async (t) => {
      const [answer, took] = await processorTimeOf(() => scripted.call("POST", `/proxy/_/a${n}`, given));
      t.diagnostic(`${took} ms`);
      assertError(answer, 500, "integration.expression_failed");
      assert.ok(took < MOST_MS, `${took} ms`);
    });
  }
});

test("a list of a thousand is compared with another", async (t) => {
  const expression = "$count(a.($x := $; $$.r[id = $x]))";
  const { account } = await scripted.install({ actions: { join: { steps: [{ type: "transform", config: { expression } }] } } });
  const began = Date.now();
  const answer = await scripted.call("POST", "/proxy/_/join", { a: given.a.slice(0, 1_000), r: records.slice(0, 1_000) }, {}, { account });
  t.diagnostic(`${Date.now() - began} ms`);
  assert.equal(ok(answer, 200), 1_000);
});

test("a file of any content is checked soon", async (t) => {
  const fields = (count, more) => Array.from({ length: count }, (_, n) => ({ name: `f${n}`, ...more }));
  const file = (config) => ({ name: "hostile", config: { base_url: "https://api.example.com", ...config } });
  const many = (count, value) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`m${n}`, value]));
  const hostile = {
    "large patterns": file({ credentials: { format: "api_key", config: { fields: fields(120, { pattern: "\\w{400}" }) } } }),
    "many fields": file({ credentials: { format: "api_key", config: { fields: fields(20_000) } } }),
    "many methods": file({ resources: { r: many(20_000, { path: "/" }) } }),
    "many mistakes": file({ resources: { r: many(20_000, { pith: 1, no: 2 }) } }),
    "many expressions": file({ actions: { a: { steps: Array(60).fill({ type: "transform", config: { expression: `[1${",a?b:c".repeat(2_700)}]` } }) } } }),
    "a deep body": file({ resources: { r: { create: { method: "post", path: "/", body: Array(2_000).fill(JSON.parse(`${"[".repeat(38)}1${"]".repeat(38)}`)) } } } }),
  };
  for (const [name, body] of Object.entries(hostile)) {
    await t.test(name, async (t) => {
      const [checked, took] = await processorTimeOf(() => scripted.gateway.admin("POST", "/integration/validate", body));
      const answer = ok(checked, 200);
      t.diagnostic(`${took} ms, ${answer.findings.length} findings: ${answer.findings[0].message.slice(0, 60)}`);
      assert.ok(answer.findings.some(({ level }) => level === "error"));
      assert.ok(took < MOST_MS, `${took} ms`);
    });
  }
});
