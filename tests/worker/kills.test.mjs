// SIGKILL at each point in between: an account's object and its entry in the index never disagree, and all that
// was begun is either as before or done. A point is just before or just after an object is asked or KV is written; a
// first run of each operation counts them, so that none is forgotten when the code changes. What a step answers or sends
// leaves an object only when its writes are stored, so these are all the states a kill can leave behind.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { eventually, importAccount, install, newEnvironment, ok } from "./steps.mjs";
import { Visitor } from "./visitor.mjs";

let gateway;
let between = () => {};
before(async () => {
  gateway = await start({ between: (step) => between(step), internet: ({ headers }) => Response.json({ key: headers.get("x-key") }) });
});
after(() => gateway.stop());

// Accounts. Each operation: `begin` makes its subject, `act` does it (again, too), `states` are what may be shown of the
// tenant before, halfway and after.

const credentials = (word) => ({ api_key: word, label: word });
const moved = (tenant) => `${tenant}-moved`;
const old = (tenant) => ({ tenant, label: "old", is_sandbox: false, key: "old" });
const renewed = (tenant) => ({ tenant, label: "new", is_sandbox: false, key: "new" });

/** The operations on accounts of an environment. */
const accountStories = ({ environment, installed }) => {
  const oldAccount = (tenant) => importAccount(environment, installed, credentials("old"), { tenant_id: tenant });
  const change = (id, body) => environment.call("PATCH", `/integrated-account/${id}`, body).then((answer) => ok(answer, 200));
  return {
    "an import": {
      begin: () => {},
      act: (_, tenant) => importAccount(environment, installed, credentials("new"), { tenant_id: tenant }),
      states: (tenant) => [[], [renewed(tenant)]],
      adds: true,
    },
    "a customer's form": {
      begin: async (tenant) => {
        const link = { tenant_id: tenant, integration: "api-key", context: { label: "new" } };
        return { made: ok(await environment.call("POST", "/link-token", link), 201), visitor: new Visitor() };
      },
      act: async ({ made, visitor }) => {
        const { pathname, search } = new URL(made.url);
        const page = await visitor.submit(await visitor.open(new URL(pathname + search, gateway.url).href), { api_key: "new" });
        assert.equal(page.status, 200, page.text);
      },
      states: (tenant) => [[], [renewed(tenant)]],
    },
    "a change": {
      begin: oldAccount,
      act: ({ id }, tenant) => change(id, { tenant_id: moved(tenant), is_sandbox: true, context: credentials("new") }),
      states: (tenant) => [[old(tenant)], [{ ...renewed(moved(tenant)), is_sandbox: true }]],
    },
    "a change of what the index does not have": {
      begin: oldAccount,
      act: ({ id }) => change(id, { context: credentials("new") }),
      states: (tenant) => [[old(tenant)], [renewed(tenant)]],
    },
    "a deletion": {
      begin: oldAccount,
      act: async ({ id }) => ok(await environment.call("DELETE", `/integrated-account/${id}`), 200, 404),
      states: (tenant) => [[old(tenant)], []],
    },
    "a deletion of two": {
      begin: (tenant) => Promise.all([oldAccount(tenant), oldAccount(tenant)]),
      act: async (two) => ok(await environment.call("POST", "/integrated-account/bulk-delete", { ids: two.map(({ id }) => id) }), 200),
      states: (tenant) => [[old(tenant), old(tenant)], [old(tenant)], []],
    },
  };
};

/** What is shown of a tenant's accounts: by lists, by id and by their calls, which must agree from the first look on. */
async function seen(environment, tenant) {
  const lists = async () => {
    const found = [];
    await eachCase([tenant, moved(tenant)], async (name) => {
      const { result } = ok(await environment.call("GET", `/integrated-account?tenant_id=${name}`), 200);
      await eachCase(result, ({ tenant_id }) => assert.equal(tenant_id, name, "a list gave what it was not asked for"));
      found.push(...result);
    });
    return found;
  };
  const listed = await lists();
  const shown = [];
  await eachCase(listed, async (one) => {
    assert.deepEqual(ok(await environment.call("GET", `/integrated-account/${one.id}`), 200), one);
    assert.equal(one.status, "active");
    const { key } = ok(await environment.call("GET", `/proxy/ships/1?integrated_account_id=${one.id}`), 200);
    shown.push({ tenant: one.tenant_id, label: one.context.label, is_sandbox: one.is_sandbox, key });
  });
  assert.deepEqual(await lists(), listed);
  return shown;
}

/** What is stored once every alarm has rung: nothing half done or orphaned; index and objects say the same. */
async function assertWhole() {
  const rows = await gateway.rows("Account", "SELECT record, sealed, pending FROM account");
  // Of an account that is gone only its events stay.
  const truth = rows.filter(({ record, pending }) => record !== null || pending !== null).map(({ record, sealed, pending }) => {
    assert.deepEqual([pending, record === null], [null, false]);
    const { id, tenant_id, environment_integration_id, status, is_sandbox, region, created_at } = JSON.parse(record);
    return { id, tenant_id, environment_integration_id, integration_name: "api-key", status, is_sandbox, region, created_at, sealing_key: sealed.split(".")[0] };
  });
  const index = (await gateway.rows("Directory", "SELECT record FROM account")).map(({ record }) => JSON.parse(record));
  const byId = (one, other) => one.id.localeCompare(other.id);
  assert.deepEqual(index.sort(byId), truth.sort(byId));
}

for (const name of Object.keys(accountStories({}))) {
  test(`${name} of an account`, async (t) => {
    const environment = await newEnvironment(gateway, name);
    const installed = await install(gateway, environment, "api-key");
    const { begin, act, states, adds } = accountStories({ environment, installed })[name];
    const story = async () => {
      const tenant = randomUUID();
      const subject = await begin(tenant);
      return { tenant, act: () => act(subject, tenant) };
    };
    await atEachPoint(t, story, {
      async asked({ tenant, act }) {
        const found = await seen(environment, tenant);
        assertOneOf(states(tenant), found);
        await act();
        const done = states(tenant).at(-1);
        assert.deepEqual(await seen(environment, tenant), adds ? [...found, ...done] : done);
      },
      stored: (isSettled) => isSettled && assertWhole(),
      async rung({ tenant }) {
        assertOneOf(states(tenant), await seen(environment, tenant));
      },
    });
  });
}

// Environments and installs: between the root, the environment's own directory and KV.

test("a deletion of an environment", async (t) => {
  const story = async () => {
    const environment = await newEnvironment(gateway, randomUUID());
    return { environment, act: async () => ok(await gateway.admin("DELETE", `/environment/${environment.id}`), 200, 404) };
  };
  const isShown = async ({ id }) => {
    const { result } = ok(await gateway.admin("GET", "/environment?limit=1000"), 200);
    const { status } = await gateway.admin("GET", `/environment/${id}`);
    assert.equal(status, result.some((one) => one.id === id) ? 200 : 404);
    return status === 200;
  };
  await atEachPoint(t, story, {
    async asked({ environment, act }) {
      await isShown(environment);
      await act();
      assert.equal(await isShown(environment), false);
    },
    async stored() {
      const tokens = await gateway.rows("Directory", "SELECT record FROM api_token");
      const closing = await gateway.rows("Directory", "SELECT id FROM environment WHERE is_closing = 1");
      return { closing, tokens: tokens.map(({ record }) => record), copies: await published("token/") };
    },
    async rung({ environment: { id, call } }, { closing, tokens, copies }) {
      const isThere = await isShown({ id });
      assert.equal((await call("GET", "/integration")).status, isThere ? 200 : 401);
      await eachCase([tokens, copies], (texts) => assert.equal(texts.filter((text) => text.includes(id)).length, isThere ? 1 : 0));
      assert.deepEqual(closing, []);
    },
  });
});

for (const [name, prepare, act] of [
  ["an installation", () => {}, (call) => call("POST", "/environment-integration", { integration_name: "api-key" })],
  ["a deinstallation", (environment) => install(gateway, environment, "api-key"), (call, { id }) => call("DELETE", `/environment-integration/${id}`)],
]) {
  test(name, async (t) => {
    const story = async () => {
      const environment = await newEnvironment(gateway, randomUUID());
      const subject = await prepare(environment);
      return { environment, act: async () => ok(await act(environment.call, subject), 200, 201, 404) };
    };
    const installs = async ({ call }) => ok(await call("GET", "/environment-integration"), 200).result.length;
    await atEachPoint(t, story, {
      async stored(isSettled) {
        const uses = await gateway.rows("Directory", "SELECT integration_id, environment_id FROM integration_use");
        const records = (await gateway.rows("Directory", "SELECT record FROM install")).map(({ record }) => JSON.parse(record));
        const isNoted = (one) => uses.some((use) => use.integration_id === one.integration_id && use.environment_id === one.environment_id);
        assert.ok(records.every(isNoted), "the root does not know of an install");
        const ids = records.map(({ id }) => id).sort();
        if (isSettled) assert.deepEqual((await published("install/")).map((text) => JSON.parse(text).id), ids);
      },
      async asked({ environment, act }) {
        assert.ok((await installs(environment)) <= 1);
        await act();
        assert.equal(await installs(environment), name === "an installation" ? 1 : 0);
      },
      async rung({ environment }) {
        assert.ok((await installs(environment)) <= 1);
      },
    });
  });
}

/** The published copies whose keys start so. */
async function published(prefix) {
  const store = await gateway.config();
  const { keys } = await store.list({ prefix });
  return Promise.all(keys.map(({ name }) => store.get(name)));
}

// Points, and the kill.

// A read leaves nothing behind; that of the subscriptions is the alarm's besides, and comes when it comes.
const isPoint = ({ where, what }) => (where !== "KV" || what !== "get") && what !== "webhooks";

/** Numbers repeated names, the second with a 2: the same work comes by the same names, if not in the same order. */
function naming() {
  const times = {};
  return ({ when, where, what }) => {
    const name = `${when} ${where} ${what}`;
    times[name] = (times[name] ?? 0) + 1;
    return times[name] === 1 ? name : `${name} ${times[name]}`;
  };
}

/**
 * Runs a story once whole, then again for each of its points and cut there: for the next request to find (`asked`), and
 * for the alarm (`rung`). Both get the subject and what `stored` found before anything was asked.
 */
async function atEachPoint(t, story, { asked, rung, stored }) {
  const points = await pointsOf((await story()).act);
  assert.ok(points.length > 1, "nothing was counted");
  for (const [way, check, restart] of [["the next request", asked, {}], ["the alarm", rung, { late: true }]]) {
    const subjects = await cutAt(points, story, restart);
    if (restart.late) await eventually(async () => assert.deepEqual(await gateway.alarms(), []));
    const rows = await stored(Boolean(restart.late));
    for (const [n, point] of points.entries()) await t.test(`${point}: ${way}`, () => check(subjects[n], rows));
  }
}

async function pointsOf(work) {
  const points = [];
  const name = naming();
  between = (step) => void (isPoint(step) && points.push(name(step)));
  await work();
  between = () => {};
  return points;
}

/** One subject for each point, its work stopped there; then one SIGKILL for all. What is stopped takes no steps, so the next is alone. */
async function cutAt(points, story, restart) {
  const subjects = [];
  const calls = [];
  for (const point of points) {
    const subject = await story();
    const reached = Promise.withResolvers();
    const name = naming();
    between = (step) => {
      if (!isPoint(step) || name(step) !== point) return undefined;
      reached.resolve();
      return new Promise(() => {});
    };
    const call = subject.act().then(() => assert.fail(`it was not cut at: ${point}`), (error) => error);
    await Promise.race([reached.promise, call.then((error) => Promise.reject(error))]).finally(() => (between = () => {}));
    subjects.push(subject);
    calls.push(call);
  }
  await gateway.restart(restart);
  await eachCase(await Promise.all(calls), (error) => assert.ok(error instanceof TypeError, error));
  return subjects;
}

function assertOneOf(states, found) {
  const texts = states.map((state) => JSON.stringify(state));
  assert.ok(texts.includes(JSON.stringify(found)), `${JSON.stringify(found)} is none of ${texts.join(", ")}`);
}
