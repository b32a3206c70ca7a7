import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "./harness.mjs";
import { assertError, apiKeyAccount, newEnvironment, ok } from "./steps.mjs";

let gateway;
before(async () => {
  gateway = await start();
});
after(() => gateway.stop());

test("an environment is created, read and listed", async () => {
  const created = ok(await gateway.admin("POST", "/environment", { name: "staging", region: "enam" }), 201);
  assert.match(created.id, /^[0-9a-f-]{36}$/);
  assert.equal(created.region, "enam");
  assert.equal(ok(await gateway.admin("GET", `/environment/${created.id}`), 200).name, "staging");

  const list = ok(await gateway.admin("GET", "/environment"), 200);
  assert.ok(list.result.some(({ id }) => id === created.id));
  assert.equal(list.limit, 100);
});

test("an unknown region is refused and nothing is stored", async () => {
  assertError(await gateway.admin("POST", "/environment", { name: "moon", region: "moon" }), 422, "caller.");
  const { result } = ok(await gateway.admin("GET", "/environment"), 200);
  assert.ok(!result.some(({ name }) => name === "moon"));
});

test("a token is shown once and stored only as a hash", async () => {
  const { id, token } = await newEnvironment(gateway, "hashed");
  assert.deepEqual(await gateway.filesHolding(token), []);
  const list = await gateway.admin("GET", `/api-token?environment_id=${id}`);
  assert.ok(!JSON.stringify(list.body).includes(token));
});

test("what a token cannot see is a 404", async () => {
  const { account, installed } = await apiKeyAccount(gateway);
  const other = await newEnvironment(gateway, "other");
  assertError(await other.call("GET", `/integrated-account/${account.id}`), 404, "caller.");
  assertError(await other.call("DELETE", `/integrated-account/${account.id}`), 404, "caller.");
  assertError(await other.call("GET", `/environment-integration/${installed.id}`), 404, "caller.");
  assertError(await other.call("GET", `/proxy/ships?integrated_account_id=${account.id}`), 404, "caller.");
  assert.deepEqual(ok(await other.call("GET", "/integrated-account"), 200).result, []);
});

test("an API token may not administer environments or integrations", async () => {
  const { call } = await newEnvironment(gateway, "narrow");
  assertError(await call("POST", "/environment", { name: "mine" }), 403, "caller.");
  assertError(await call("PUT", "/integration/mine", { name: "mine", config: {} }), 403, "caller.");
});

test("a token of scope read reads, and does not proxy or import", async () => {
  const { environment, installed, account } = await apiKeyAccount(gateway);
  const body = { environment_id: environment.id, name: "reader", scopes: ["read"] };
  const call = gateway.as(ok(await gateway.admin("POST", "/api-token", body), 201).token);
  ok(await call("GET", `/integrated-account/${account.id}`), 200);
  assertError(await call("GET", `/proxy/ships?integrated_account_id=${account.id}`), 403, "caller.");
  const another = { tenant_id: "t", environment_integration_id: installed.id, authentication_method: "api_key", context: { api_key: "k" } };
  assertError(await call("POST", "/integrated-account", another), 403, "caller.");
});
