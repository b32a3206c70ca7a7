// The published copy: what KV did not accept is published by the alarm, also after a restart of the object; and who wrote
// something sees it at once.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { assertError, eventually, apiKeyAccount, integrationFile, ok } from "./steps.mjs";

let gateway, failing;
before(async () => {
  gateway = await start({
    between({ when, where, what, key }) {
      if (when === "before" && where === "KV" && what !== "get" && failing(key)) throw new Error("429 Too Many Requests");
    },
    internet: ({ url, headers }) => Response.json({ url, team: headers.get("x-team"), key: headers.get("x-key") }),
  });
});
after(() => gateway.stop());
beforeEach(() => {
  failing = () => false;
});

const copy = async (key) => JSON.parse(await (await gateway.config()).get(key));
const apiKeyFile = async () => JSON.parse(await integrationFile("api-key"));

/** Waits until no directory has anything left to publish. */
const published = () => eventually(async () => assert.deepEqual(await gateway.rows("Directory", "SELECT key FROM publication"), []));

/** An account, and changes to its integration and install that KV did not take: `{environment, account, keys, changed}`. */
async function unpublished(label) {
  const story = await apiKeyAccount(gateway);
  const { id } = ok(await gateway.admin("GET", "/integration/api-key"), 200);
  const keys = { integration: `integration/${id}`, install: `install/${story.installed.id}` };
  failing = (key) => Object.values(keys).includes(key);
  const file = await apiKeyFile();
  ok(await gateway.admin("PUT", "/integration/api-key", { ...file, config: { ...file.config, label } }), 200);
  ok(await story.environment.call("PATCH", `/environment-integration/${story.installed.id}`, { is_enabled: false }), 200);
  return { ...story, keys, isPublished: async () => (await copy(keys.integration)).config.label === label && !(await copy(keys.install)).is_enabled };
}

test("KV failed and the objects were evicted: the alarm publishes", async () => {
  const { isPublished } = await unpublished("evicted");
  assert.ok((await gateway.evict("Directory")) > 1);
  assert.equal(await isPublished(), false);
  failing = () => false;
  await published();
  assert.ok(await isPublished());
});

test("KV failed and the runtime was killed: the alarm publishes, after as many tries as it takes", async () => {
  const { isPublished } = await unpublished("killed");
  let tries = 0;
  const isOurs = failing;
  failing = (key) => isOurs(key) && ++tries > 0;
  await gateway.restart({ late: true });
  await eventually(() => assert.ok(tries >= 2, `${tries} tries`)); // the root's and the environment's
  assert.equal(await isPublished(), false);
  failing = () => false;
  await gateway.restart({ late: true });
  await published();
  assert.ok(await isPublished());
});

test("a revocation that KV did not take holds at once, and after a kill", async () => {
  const { environment } = await apiKeyAccount(gateway);
  const { result: [{ id }] } = ok(await gateway.admin("GET", `/api-token?environment_id=${environment.id}`), 200);
  failing = (key) => key.startsWith("token/");
  ok(await gateway.admin("DELETE", `/api-token/${id}?environment_id=${environment.id}`), 200);
  assertError(await environment.call("GET", "/integrated-account"), 401, "caller.");
  failing = () => false;
  await gateway.restart({ late: true });
  await published();
  assertError(await environment.call("GET", "/integrated-account"), 401, "caller.");
});

test("who changes integration, install or account sees it in the next call", async () => {
  const { environment, installed, account } = await apiKeyAccount(gateway);
  const call = async () => ok(await environment.call("GET", `/proxy/ships/1?integrated_account_id=${account.id}`), 200);
  assert.deepEqual(await call(), { url: "https://api.api-key.example/v1/ships/1", team: null, key: "key-1" });
  await eachCase([1, 2, 3], async (n) => {
    const { version } = ok(await gateway.admin("GET", "/integration/api-key"), 200);
    ok(await gateway.admin("PATCH", "/integration/api-key", { version, config: { base_url: `https://v${n}.api-key.example` } }), 200);
    assert.equal((await call()).url, `https://v${n}.api-key.example/ships/1`);
    ok(await environment.call("PATCH", `/environment-integration/${installed.id}`, { override: { headers: { "X-Team": `team-${n}` } } }), 200);
    assert.equal((await call()).team, `team-${n}`);
    ok(await environment.call("PATCH", `/integrated-account/${account.id}`, { context: { api_key: `changed-${n}` } }), 200);
    assert.equal((await call()).key, `changed-${n}`);
    ok(await environment.call("PATCH", `/integrated-account/${account.id}/credentials`, { context: { api_key: `replaced-${n}` } }), 200);
    assert.equal((await call()).key, `replaced-${n}`);
  });
  ok(await environment.call("PATCH", `/environment-integration/${installed.id}`, { is_enabled: false }), 200);
  const refused = await environment.call("GET", `/proxy/ships/1?integrated_account_id=${account.id}`);
  assertError(refused, 409, "account.install_disabled");
});
