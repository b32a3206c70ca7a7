import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { assertError, apiKeyAccount, importAccount, install, newEnvironment, ok } from "./steps.mjs";

const KEY = "an-api-key-that-must-not-be-seen-4711";
let gateway;
before(async () => {
  gateway = await start();
});
after(() => gateway.stop());

test("an imported account is active and shows everything but its secrets", async () => {
  const { environment, installed, account } = await apiKeyAccount(gateway, KEY);
  assert.equal(account.status, "active");
  assert.equal(account.environment_id, environment.id);
  assert.equal(account.environment_integration_id, installed.id);
  assert.equal(account.integration.name, "api-key");
  assert.equal(account.region, "wnam");
  assert.match(account.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

  const read = await environment.call("GET", `/integrated-account/${account.id}`);
  assert.deepEqual(ok(read, 200), account);
  assert.ok(!JSON.stringify(read.body).includes(KEY));
});

test("secrets are sealed: no storage file and no log line holds one", async () => {
  await apiKeyAccount(gateway, KEY);
  assert.deepEqual(await gateway.filesHolding(KEY), []);
  assert.ok(!gateway.logs.some(({ message }) => message.includes(KEY)));
});

test("an account id is a UUIDv8, and tells its region", async () => {
  const environment = await newEnvironment(gateway, "regions");
  const installed = await install(gateway, environment, "api-key");
  await eachCase(["wnam", "enam", "apac", "eu"], async (region) => {
    const account = await importAccount(environment, installed, { api_key: KEY }, { region });
    assert.match(account.id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(ok(await environment.call("GET", `/integrated-account/${account.id}`), 200).region, region);
  });
});

test("lists by tenant, newest included at once", async () => {
  const environment = await newEnvironment(gateway, "tenants");
  const installed = await install(gateway, environment, "api-key");
  const first = await importAccount(environment, installed, { api_key: "a" }, { tenant_id: "north" });
  await importAccount(environment, installed, { api_key: "b" }, { tenant_id: "south" });
  const { result } = ok(await environment.call("GET", "/integrated-account?tenant_id=north"), 200);
  assert.deepEqual(result.map(({ id }) => id), [first.id]);
});

test("the admin token names the environment, and without a name the request is refused", async () => {
  const { environment, account } = await apiKeyAccount(gateway);
  const { result } = ok(await gateway.admin("GET", `/integrated-account?environment_id=${environment.id}`), 200);
  assert.deepEqual(result.map(({ id }) => id), [account.id]);
  const { status } = await gateway.admin("GET", "/integrated-account");
  assert.ok(status === 400 || status === 422, `got ${status}`);
});

test("a missing required field is 422 with the field's path", async () => {
  const { environment, installed } = await apiKeyAccount(gateway);
  const body = { tenant_id: "t", environment_integration_id: installed.id, authentication_method: "api_key", context: {} };
  const { details } = assertError(await environment.call("POST", "/integrated-account", body), 422, "caller.");
  assert.ok(details.failures.some(({ path }) => path.includes("api_key")), JSON.stringify(details));
});

test("a deleted account is 404 at once, for reads and for calls", async () => {
  const { environment, account } = await apiKeyAccount(gateway);
  assert.deepEqual(ok(await environment.call("DELETE", `/integrated-account/${account.id}`), 200), { id: account.id });
  assertError(await environment.call("GET", `/integrated-account/${account.id}`), 404, "caller.");
  assertError(await environment.call("GET", `/proxy/ships?integrated_account_id=${account.id}`), 404, "caller.");
  assert.deepEqual(ok(await environment.call("GET", "/integrated-account"), 200).result, []);
});

test("an invented id of the right form is 404 and writes nothing", async () => {
  const { environment, account } = await apiKeyAccount(gateway);
  const invented = account.id.replace(/[0-9a-f]{12}$/, "0123456789ab");
  // An account of another test may write its log in that time, or lose its tables: what counts is which objects have got some.
  const schema = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf*'";
  const objects = async () => new Set((await gateway.rows("Account", schema)).map(({ object }) => object));
  const before = await objects();
  assertError(await environment.call("GET", `/integrated-account/${invented}`), 404, "caller.");
  assertError(await environment.call("GET", `/proxy/ships?integrated_account_id=${invented}`), 404, "caller.");
  assert.deepEqual([...(await objects()).difference(before)], []);
});
