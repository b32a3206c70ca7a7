// Syncs in workerd: an account's records are kept up to date by the object's alarm. A consumer who keeps the cursor has
// what the provider has, also after SIGKILL in the middle of a run; a verified webhook starts a run within seconds.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { eventually, ok } from "./steps.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";

const PAGE = 50;
/** An object that is killed at work goes on a minute later. */
const KILLS = Number(process.env.SYNC_KILLS ?? 1);
const SECRET = "a-secret-of-the-webhook";
const pagination = { format: "offset", config: { offset_key: "offset", limit_key: "limit" } };
const webhook = {
  signature_verification: { format: "hmac", config: { secret: "{{webhook_secret}}", compare_with: "$header.x-signature" } },
  payload_transform: '{ "event_type": body.topic, "payload": body }',
};
const config = {
  credentials: { api_key: { format: "api_key", config: { fields: [{ name: "api_key", type: "password" }, { name: "webhook_secret", type: "password" }] } } },
  resources: { items: { list: { path: "/items", response_path: "data", pagination } } },
  syncs: { items: { resource: "items", query: { limit: String(PAGE) }, record_id: "id", every: "30d", auto_start: false, on_events: ["item:changed"] } },
  webhook,
};

let provider;
let items;
let delayMs = 0;
before(async () => {
  items = Array.from({ length: 500 }, (_, n) => ({ id: `i${String(n).padStart(4, "0")}`, text: "first" }));
  provider = await startScriptedProvider({ config });
  provider.account = await provider.another({ api_key: "key-2", webhook_secret: SECRET });
  provider.answers.set("/items", ({ query }) => {
    const offset = Number(query.get("offset") ?? 0);
    return { body: { data: items.slice(offset, offset + Number(query.get("limit") ?? 100)) }, delayMs };
  });
});
after(() => provider.stop());

const sync = async (account = provider.account) => {
  const listed = ok(await provider.environment.call("GET", `/sync?integrated_account_id=${account.id}`), 200);
  return listed.result.find(({ name }) => name === "items");
};

/** The run with this id, once it has ended well. */
const completed = (id) =>
  eventually(async () => {
    const { last_run } = await sync();
    assert.deepEqual([last_run.id, last_run.status], [id, "completed"], JSON.stringify(last_run));
    return last_run;
  }, 180);

const run = async (more = {}) => ok(await provider.environment.call("POST", "/sync/items/run", { integrated_account_id: provider.account.id, ...more }), 202);

/** Who keeps the cursor of the feed. */
class Consumer {
  records = new Map();
  cursor = "";
  revision = 0;

  async read() {
    for (;;) {
      const target = `/record?integrated_account_id=${provider.account.id}&sync=items&limit=120&after=${this.cursor}`;
      const page = ok(await provider.environment.call("GET", target), 200);
      for (const { id, change, revision, record } of page.result) {
        assert.ok(revision > this.revision, `${revision} came twice`);
        this.revision = revision;
        if (change === "deleted") this.records.delete(id);
        else this.records.set(id, JSON.stringify(record));
      }
      this.cursor = page.next_cursor;
      if (!page.has_more) return;
    }
  }

  hasAll() {
    const own = [...this.records.values()].sort();
    assert.deepEqual(own, items.map((item) => JSON.stringify(item)).sort());
  }
}

test("the alarm reads the list, and what is unchanged writes no record", async () => {
  const first = await completed((await run()).id);
  assert.deepEqual([first.added, first.pages > 9], [500, true]);
  const consumer = new Consumer();
  await consumer.read();
  consumer.hasAll();
  const rows = () => provider.gateway.rows("Account", "SELECT COUNT(*) AS n, SUM(key) AS keys, SUM(at) AS times FROM sync_record");
  const before = await rows();
  const last = await completed((await run()).id);
  assert.deepEqual([last.added, last.updated, last.deleted, last.unchanged], [0, 0, 0, 500]);
  assert.deepEqual(await rows(), before);
});

test("SIGKILL in the middle of a run: the consumer has what the provider has", async () => {
  const consumer = new Consumer();
  await consumer.read();
  items = items.filter((_, n) => n % 50 !== 7).map((item, n) => (n % 20 === 3 ? { ...item, text: "second" } : item));
  items.push({ id: "new", text: "first" });
  delayMs = 150;
  const { id } = await run();
  for (let kill = 0; kill < KILLS; kill += 1) {
    const seen = provider.at("/items").length;
    await eventually(() => assert.ok(provider.at("/items").length > seen + 1), 90);
    await provider.gateway.restart();
    await consumer.read();
  }
  delayMs = 0;
  const last = await completed(id);
  await consumer.read();
  consumer.hasAll();
  assert.deepEqual([last.added, last.deleted], [1, 10]);
});

test("lines", async () => {
  const target = `/record?integrated_account_id=${provider.account.id}&sync=items&filter=added`;
  const answer = await provider.gateway.fetch(target, { headers: { authorization: `Bearer ${provider.environment.token}`, "x-all-pages": "true" } });
  const lines = (await answer.text()).trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(answer.headers.get("content-type"), "application/x-ndjson");
  const { next_cursor } = lines.pop();
  assert.ok(lines.length > 400 && lines.every(({ change }) => change === "added"));
  const after = ok(await provider.environment.call("GET", `${target.replace("&filter=added", "")}&after=${next_cursor}`), 200);
  assert.deepEqual(after.result, []);
});

test("a webhook starts a run within seconds, and a burst starts few", async () => {
  const requests = provider.at("/items").length;
  const before = (await sync()).last_run;
  items.push({ id: "by-webhook", text: "first" });
  const path = new URL(provider.account.webhook_url).pathname;
  const send = async (number) => {
    const body = JSON.stringify({ topic: "item:changed", number });
    const signature = createHmac("sha256", SECRET).update(body).digest("hex");
    const answer = await provider.gateway.fetch(path, { method: "POST", body, headers: { "content-type": "application/json", "x-signature": signature } });
    assert.equal(answer.status, 200, await answer.text());
  };
  for (let number = 0; number < 100; number += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, n) => send(number + n)));
  }
  await eventually(async () => {
    const { last_run } = await sync();
    assert.deepEqual([last_run.reason, last_run.status, last_run.id === before.id], ["event", "completed", false]);
  }, 20);
  const answer = ok(await provider.environment.call("GET", `/record/by-webhook?integrated_account_id=${provider.account.id}&sync=items`), 200);
  assert.equal(answer.change, "added");
  await new Promise((done) => setTimeout(done, 12_000));
  const pages = Math.ceil(items.length / PAGE) + 1;
  assert.ok(provider.at("/items").length - requests <= 3 * pages, "at most one in 10 s");
});
