// docs/sync.md: its sync is the playground's, its commands are run as the page has them, and its reader of the feed has what the provider
// has, also after a cursor has ended.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { root } from "../../scripts/local-worker.mjs";
import { startMakeDev } from "./make-dev.mjs";

const HEADING = "One that runs";

let page, dev;
before(async () => {
  page = await readFile(path.join(root, "docs/sync.md"), "utf8");
  dev = await startMakeDev("docs/sync.md");
});
after(() => dev.stop());

/** The first block of the page that is marked so. */
const blockOf = (info) => page.match(new RegExp(`^\`\`\`${info}\\n([^]*?)^\`\`\``, "m"))[1];

test("the sync of the page is the playground's", async () => {
  const { config } = JSON.parse(await readFile(path.join(root, "scripts/playground/playground.json"), "utf8"));
  assert.deepEqual(JSON.parse(blockOf("json")), config.syncs);
});

test("a first run, an incremental one, one over everything, and what the feed has after each", async () => {
  const [first, start, changed, incremental, update, full, both] = await dev.run(dev.block(HEADING, 1), dev.block(HEADING, 2), dev.block(HEADING, 3));
  const counts = ({ result: [{ last_run }] }) => [last_run.status, last_run.mode, last_run.added, last_run.updated, last_run.deleted];
  assert.deepEqual(counts(first), ["completed", "full", 57, 0, 0]);
  assert.deepEqual([start.result.map(({ id }) => id), start.next_cursor, start.has_more], [["contact-1", "contact-2"], "contacts.2.57", true]);
  assert.equal(changed.data.name, "Donald E. Turing");
  assert.deepEqual(counts(incremental), ["completed", "incremental", 0, 1, 0]);
  const shown = ({ result }) => result.map(({ id, change, record }) => [id, change, record?.name]);
  assert.deepEqual(shown(update), [["contact-7", "updated", "Donald E. Turing"]]);
  assert.deepEqual(counts(full), ["completed", "full", 0, 0, 1]);
  assert.deepEqual(shown(both), [["contact-7", "updated", "Donald E. Turing"], ["contact-8", "deleted", undefined]]);
});

test("the reader of the page has what the provider has, also after a reset", async () => {
  const file = path.join(dev.folder, "reader.mjs");
  await writeFile(file, `${blockOf("js")}\nexport { records };\n`);
  const { readFeed, records } = await import(file);
  const [{ playground, key, ...account }] = await dev.run(`printf '{"api": "%s", "token": "%s", "account": "%s", "playground": "%s", "key": "%s"}\\n' "$api" "$token" "$account" "$playground" "$playground_key"`);
  const compare = async () => {
    await readFeed({ ...account, sync: "contacts" });
    const pages = await Promise.all(["", "NTA"].map((cursor) => fetch(`${playground}/api/contacts?limit=50&cursor=${cursor}`, { headers: { authorization: `Bearer ${key}` } })));
    const contacts = (await Promise.all(pages.map((answer) => answer.json()))).flatMap(({ data }) => data);
    assert.ok(contacts.length > 50);
    assert.deepEqual([...records.values()].sort(byId), contacts.sort(byId));
  };
  await dev.run("sync");
  await compare();
  await dev.run("provider contacts/contact-9 -X DELETE", "sync ', \"mode\": \"full\"'");
  await compare();
  await dev.run(`call "$api/sync/contacts/reset" -d "{\\"integrated_account_id\\": \\"$account\\"}"`, "provider contacts/contact-10 -X DELETE", "sync");
  await compare();
});

const byId = (one, other) => (one.id < other.id ? -1 : 1);
