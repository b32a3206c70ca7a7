// SIGKILL to the runtime, as a power cut: what was answered is still there.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "./harness.mjs";
import { assertError, apiKeyAccount, importAccount, ok } from "./steps.mjs";

let gateway;
let answers = () => Response.json({ id: 1 });
before(async () => {
  gateway = await start({ internet: (request) => answers(request) });
});
after(() => gateway.stop());

test("environment, token, integration, install and account survive a kill right after their answers", async () => {
  const { environment, installed, account } = await apiKeyAccount(gateway);
  await gateway.restart();
  assert.equal(ok(await gateway.admin("GET", `/environment/${environment.id}`), 200).id, environment.id);
  assert.equal(ok(await environment.call("GET", `/environment-integration/${installed.id}`), 200).id, installed.id);
  // Its webhook_url has the port of the restarted gateway.
  const here = { ...account, webhook_url: account.webhook_url.replace(/^http:\/\/[^/]*/, gateway.url.origin) };
  assert.deepEqual(ok(await environment.call("GET", `/integrated-account/${account.id}`), 200), here);
  ok(await environment.call("GET", `/proxy/ships/1?integrated_account_id=${account.id}`), 200);
});

test("a kill in the middle of a call loses the call and nothing else", async () => {
  const { environment, account } = await apiKeyAccount(gateway);
  const reached = Promise.withResolvers();
  const never = new Promise(() => {});
  answers = () => {
    reached.resolve();
    return never;
  };
  const call = environment.call("GET", `/proxy/ships/1?integrated_account_id=${account.id}`).catch((error) => error);
  await reached.promise;
  await gateway.restart();
  assert.ok((await call) instanceof Error);
  answers = () => Response.json({ id: 1 });
  ok(await environment.call("GET", `/proxy/ships/1?integrated_account_id=${account.id}`), 200);
});

test("a deletion survives a kill", async () => {
  const { environment, installed, account } = await apiKeyAccount(gateway);
  ok(await environment.call("DELETE", `/integrated-account/${account.id}`), 200);
  await gateway.restart();
  assertError(await environment.call("GET", `/integrated-account/${account.id}`), 404, "caller.");
  const kept = await importAccount(environment, installed, { api_key: "again" });
  const { result } = ok(await environment.call("GET", "/integrated-account"), 200);
  assert.deepEqual(result.map(({ id }) => id), [kept.id]);
});

test("stored credentials open with every key of SEALING_KEYS, and only with those", async () => {
  const { environment, account } = await apiKeyAccount(gateway);
  const path = `/proxy/ships/1?integrated_account_id=${account.id}`;
  const { SEALING_KEYS: first } = gateway.vars;
  const newer = `newer:${Buffer.alloc(32, 7).toString("base64")}`;
  await gateway.restart({ vars: { SEALING_KEYS: `${newer},${first}` } });
  ok(await environment.call("GET", path), 200);
  await gateway.restart({ vars: { SEALING_KEYS: newer } });
  assertError(await gateway.admin("GET", path), 500, "internal.");
  assertError(await environment.call("GET", path), 401, "caller.unauthenticated");
  await gateway.restart({ vars: { SEALING_KEYS: first } });
  ok(await environment.call("GET", path), 200);
});
