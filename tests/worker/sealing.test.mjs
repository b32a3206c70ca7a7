// The key that secrets rest under changes while calls go on and the runtime is killed again and again: no call fails but
// those the kill cuts, and in the end nothing needs the old key.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { randomSealingKey } from "../../scripts/dev-vars.mjs";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { assertError, eventually, importAccount, newEnvironment, ok } from "./steps.mjs";

const OLD = randomSealingKey().replace(/^[^:]*/, "old");
const NEW = randomSealingKey().replace(/^[^:]*/, "new");
// What the rotation comes by, in this order, while there is something left: a kill at each.
const KILLS = ["before KV put", "after KV put", "before Directory reseal", "before Account reseal", "after Account reseal", "after Directory reseal"];

let gateway;
let between = () => {};
before(async () => {
  gateway = await start({
    vars: { SEALING_KEYS: OLD },
    between: (step) => between(step),
    internet: ({ headers }) => Response.json({ key: headers.get("x-key"), pin: headers.get("x-pin") }),
  });
});
after(() => gateway.stop());

const sealedFile = {
  name: "planted",
  config: {
    base_url: "https://api.planted.example",
    headers: { "x-pin": "{{environment_variables.pin}}" },
    credentials: {
      api_key: { format: "api_key", config: { fields: [{ name: "api_key", type: "password", required: true }] } },
      oauth2: { format: "oauth2", config: { client: { id: "public", secret: "hidden" }, auth: { tokenHost: "https://login.planted.example", authorizePath: "/a", tokenPath: "/t" } } },
    },
    authorization: { format: "header", config: { name: "x-key", value: "{{api_key}}" } },
    resources: { doors: { get: { path: "/doors/{{id}}" } } },
  },
};

/** Two environments with a secret each, and in each three accounts that are called and three that are not. */
async function everything() {
  ok(await gateway.admin("PUT", "/integration/planted", sealedFile), 201);
  const accounts = [];
  await eachCase(["north", "south"], async (name) => {
    const environment = await newEnvironment(gateway, name);
    const override = { secret_environment_variables: { pin: `pin of ${name}` } };
    const installed = ok(await environment.call("POST", "/environment-integration", { integration_name: "planted", override }), 201);
    await eachCase([1, 2, 3, 4, 5, 6], async (n) => {
      const key = `key ${n} of ${name}`;
      const { id } = await importAccount(environment, installed, { api_key: key });
      accounts.push({ id, call: environment.call, expected: { key, pin: `pin of ${name}` }, isDormant: n > 3 });
    });
  });
  return accounts;
}

const called = ({ id, call }) => call("GET", `/proxy/doors/1?integrated_account_id=${id}`);
/** By the admin token: an API token ends with the key that signed it. */
const calledByAdmin = ({ id }) => called({ id, call: (...request) => gateway.admin(...request) });
const counts = async () => {
  const { keys, is_rotating } = ok(await gateway.admin("GET", "/sealing"), 200);
  return { ...Object.fromEntries(keys.map(({ id, count }) => [id, count])), is_rotating };
};

test("a rotation under load, killed at every kind of step; then without the old key", async () => {
  const accounts = await everything();
  assert.deepEqual(await counts(), { old: 15, is_rotating: false });
  await gateway.restart({ vars: { SEALING_KEYS: `${NEW},${OLD}` } });
  const load = keepCalling(accounts.filter(({ isDormant }) => !isDormant));

  ok(await gateway.admin("POST", "/sealing/rotate", {}), 200);
  for (const point of KILLS) {
    await reached(point);
    await load.while(() => gateway.restart({ late: true }));
  }
  await eventually(async () => assert.deepEqual(await counts(), { new: 15, old: 0, is_rotating: false }));
  await eventually(async () => assert.deepEqual(await gateway.rows("Directory", "SELECT key FROM publication"), []));
  const { answered, cut } = await load.end();
  assert.ok(answered > 6 * KILLS.length, `only ${answered} calls`);
  assert.ok(cut <= 6 * KILLS.length, `${cut} calls were cut`);

  await gateway.restart({ vars: { SEALING_KEYS: NEW } });
  await eachCase(accounts, async (account) => assert.deepEqual(ok(await calledByAdmin(account), 200), account.expected));
  assertError(await called(accounts[0]), 401, "caller.unauthenticated");
  const { version } = ok(await gateway.admin("GET", "/integration/planted"), 200);
  ok(await gateway.admin("PATCH", "/integration/planted", { version, config: { label: "opens its secret" } }), 200);
  await gateway.restart({ vars: { SEALING_KEYS: OLD } });
  await eachCase(accounts, async (account) => { assertError(await calledByAdmin(account), 500, "internal.sealing_key"); });
});

/** Stops the rotation there: for good, as a kill must follow. */
async function reached(point) {
  const { promise, resolve } = Promise.withResolvers();
  between = ({ when, where, what }) => {
    if (`${when} ${where} ${what}` !== point) return undefined;
    resolve();
    return new Promise(() => {});
  };
  await Promise.race([promise, sleep(15_000).then(() => assert.fail(`the rotation did not come by: ${point}`))]);
  between = () => {};
}

/** Calls these accounts without a pause, each by itself; every answer must be the right one. `while`: some work that cuts calls. */
function keepCalling(accounts) {
  let up = Promise.resolve();
  let kills = 0;
  let isOver = false;
  const tally = { answered: 0, cut: 0 };
  const callers = accounts.map(async (account) => {
    while (!isOver) {
      await up;
      const before = kills;
      const answer = await called(account).catch((error) => error);
      if (answer instanceof Error) {
        assert.notEqual(kills, before, answer);
        tally.cut += 1;
      } else {
        assert.deepEqual(ok(answer, 200), account.expected);
        tally.answered += 1;
      }
    }
  });
  return {
    async while(work) {
      kills += 1;
      up = work();
      await up;
    },
    async end() {
      isOver = true;
      await Promise.all(callers);
      return tally;
    },
  };
}
