// Fifty at once, in the real runtime: one wins, and nothing is lost.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { assertError, importAccount, install, integrationFile, newEnvironment, ok } from "./steps.mjs";

const FIFTY = Array.from({ length: 50 }, (_, n) => n);
let gateway, environment, installed;
before(async () => {
  gateway = await start();
  environment = await newEnvironment(gateway, "races");
  installed = await install(gateway, environment, "api-key");
});
after(() => gateway.stop());

const atOnce = (work) => Promise.all(FIFTY.map(work));
const renamed = async (name) => ({ ...JSON.parse(await integrationFile("api-key")), name });
const counted = (answers) => Object.fromEntries(Object.entries(Object.groupBy(answers, ({ status }) => status)).map(([status, { length }]) => [status, length]));

test("fifty POST one integration: one makes it, the others learn that it exists", async () => {
  const file = await renamed("once");
  const answers = await atOnce((n) => gateway.admin("POST", "/integration", { ...file, category: `from-${n}` }));
  assert.deepEqual(counted(answers), { 201: 1, 409: 49 });
  await eachCase(answers.filter(({ status }) => status === 409), (answer) => { assertError(answer, 409, "caller.duplicate"); });
  const { findings, ...made } = answers.find(({ status }) => status === 201).body;
  assert.deepEqual(ok(await gateway.admin("GET", "/integration/once"), 200), made);
  assert.equal((await gateway.rows("Directory", "SELECT id FROM integration WHERE name = 'once'")).length, 1);
});

test("fifty POST one install: one install", async () => {
  const { id, call } = await newEnvironment(gateway, "one-install");
  const answers = await atOnce(() => call("POST", "/environment-integration", { integration_name: "api-key" }));
  assert.deepEqual(counted(answers), { 200: 49, 201: 1 });
  assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1);
  const rows = await gateway.rows("Directory", "SELECT record FROM install");
  assert.equal(rows.filter(({ record }) => JSON.parse(record).environment_id === id).length, 1);
});

test("fifty PATCH one version of an integration: one counts, the others change nothing", async () => {
  const { version } = ok(await gateway.admin("PUT", "/integration/versions", await renamed("versions")), 201);
  const answers = await atOnce((n) => gateway.admin("PATCH", "/integration/versions", { version, config: { query: { [`k${n}`]: "1" } } }));
  assert.deepEqual(counted(answers), { 200: 1, 409: 49 });
  const { body } = answers.find(({ status }) => status === 200);
  assert.deepEqual([body.version, Object.keys(body.config.query).length], [version + 1, 1]);
  assert.deepEqual(ok(await gateway.admin("GET", "/integration/versions"), 200), body);
});

test("a client that PATCHes again with the reported version loses no update", async () => {
  ok(await gateway.admin("PUT", "/integration/again", await renamed("again")), 201);
  await Promise.all(FIFTY.slice(0, 10).map(async (n) => {
    for (;;) {
      const { version } = ok(await gateway.admin("GET", "/integration/again"), 200);
      const answer = await gateway.admin("PATCH", "/integration/again", { config: { query: { [`k${n}`]: "1" } } }, { "if-match": `"${version}"` });
      if (answer.status === 200) return;
      assertError(answer, 409, "caller.");
    }
  }));
  const { version, config } = ok(await gateway.admin("GET", "/integration/again"), 200);
  assert.deepEqual([version, Object.keys(config.query).length], [11, 10]);
});

test("racing PATCHes of an account or an install, which have no version, all count", async () => {
  const account = await importAccount(environment, installed, { api_key: "k" });
  const paths = [`/integrated-account/${account.id}`, `/environment-integration/${installed.id}`];
  await eachCase(paths, async (path) => {
    const change = (n) => (path === paths[0] ? { context: { many: { [`k${n}`]: n } } } : { override: { environment_variables: { [`k${n}`]: n } } });
    assert.deepEqual(counted(await atOnce((n) => environment.call("PATCH", path, change(n)))), { 200: 50 });
  });
  const [{ context }, { override }] = await Promise.all(paths.map(async (path) => ok(await environment.call("GET", path), 200)));
  assert.equal(Object.keys(context.many).length, 50);
  assert.equal(Object.keys(override.environment_variables).length, 50);
});

test("racing PATCHes and a DELETE of one account: gone from object and index", async () => {
  const account = await importAccount(environment, installed, { api_key: "k" });
  const path = `/integrated-account/${account.id}`;
  const answers = await atOnce((n) => (n === 25 ? environment.call("DELETE", path) : environment.call("PATCH", path, { tenant_id: `tenant-${n}` })));
  assert.ok(answers.every(({ status }) => status === 200 || status === 404), JSON.stringify(counted(answers)));
  ok(answers[25], 200);
  assertError(await environment.call("GET", path), 404, "caller.");
  const rows = await gateway.rows("Directory", "SELECT id FROM account");
  assert.ok(rows.every(({ id }) => id !== account.id));
});
