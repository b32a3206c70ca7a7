// What must not cost more as it grows: accounts, the size of the integration file, what an account keeps. Each side has a gateway of its
// own, and what a gateway does in the seconds after a round, such as writing lines of the log, counts for that round.

import { accounts, apiKeyFile, startGateway } from "../gateway.mjs";
import { alternate, inTurn, load } from "../measure.mjs";
import { comparison } from "../tables.mjs";
import { callsOf } from "./calls.mjs";
import { posts, webhookFile } from "./webhooks.mjs";

const ACCOUNTS = 1_000;
const FILE_BYTES = [5_000, 500_000];
const KEPT = { log: 10_000, outbox: 10_000, responses: 5_000 };
/** Lines of the log are written after 5 s. */
const TAIL = 6;

/** GET on one account, and on a thousand in turn; a Durable Object in JavaScript shows what the platform itself adds. */
export async function many({ runtimes, builds, provider }) {
  const vars = { UPSTREAM: provider, KEY: "key-1" };
  const objects = async (count) => {
    const { pid, url } = await runtimes.javascript("passthrough", vars);
    const requests = Array.from({ length: count }, (_, n) => ({ path: `/object/v1/ships/1?object=${n}` }));
    return { name: `JavaScript, ${named(count)} object${count > 1 ? "s" : ""}`, pid, load: inTurn(url, () => requests) };
  };
  const sides = [await objects(1), await objects(ACCOUNTS)];
  for (const { name, folder } of builds) {
    const [one, all] = [`${name}, 1 account`, `${name}, ${named(ACCOUNTS)} accounts`];
    sides.push({ name: one, against: one, ...(await onAccounts(runtimes, folder, provider, 1)) });
    sides.push({ name: all, against: one, ...(await onAccounts(runtimes, folder, provider, ACCOUNTS)) });
  }
  return comparison("GET of one record, 1 account and 1,000 accounts", await alternate(sides, { tail: TAIL, warmUp: 4 * ACCOUNTS, rounds: 3, seconds: 3 }));
}

/** GET with a small and a large integration file. */
export async function files({ runtimes, builds, provider }) {
  const sides = [];
  for (const { name, folder } of builds) {
    const names = FILE_BYTES.map((bytes) => `${name}, file of ${bytes / 1_000} KB`);
    for (const [n, bytes] of FILE_BYTES.entries()) {
      const gateway = await startGateway(runtimes, folder, fileOf(await apiKeyFile(provider), bytes));
      const [account] = await accounts(gateway, gateway.install, 1);
      sides.push({ name: names[n], against: names[0], pid: gateway.pid, load: callsOf(gateway, account) });
    }
  }
  return comparison("GET of one record, small and large integration file", await alternate(sides));
}

/** GET on an account that keeps nothing, a long log, many waiting events, many stored responses. */
export async function kept({ runtimes, builds, provider }) {
  const sides = [];
  for (const { name, folder } of builds) {
    const nothing = `${name}, an account that keeps nothing`;
    const add = async (name, prepare) => sides.push({ name, against: nothing, ...(await onPrepared(runtimes, folder, provider, prepare)) });
    await add(nothing, async (gateway) => fillLog(gateway, (await accounts(gateway, gateway.install, 1))[0])); // of another account: the runtime is as warm
    await add(`${name}, ${named(KEPT.log)} lines of the log`, fillLog);
    await add(`${name}, ${named(KEPT.outbox)} waiting events`, fillOutbox);
    await add(`${name}, ${named(KEPT.responses)} stored responses`, fillResponses);
  }
  return comparison("GET of one record, by what the account keeps", await alternate(sides));
}

const named = (count) => count.toLocaleString("en-US");
async function onAccounts(runtimes, folder, provider, count) {
  const gateway = await startGateway(runtimes, folder, await apiKeyFile(provider));
  const made = await accounts(gateway, gateway.install, count);
  const requests = made.map((account) => requestOf(gateway, account));
  return { pid: gateway.pid, load: inTurn(gateway.url, () => requests) };
}

/** One of the requests of `inTurn`. */
function requestOf(gateway, account, path) {
  const { url, headers } = callsOf(gateway, account, path);
  return { method: "GET", path: url.slice(gateway.url.length), headers };
}

/** A side whose one account `prepare(gateway, account)` has filled. */
async function onPrepared(runtimes, folder, provider, prepare) {
  const file = await apiKeyFile(provider);
  const { webhook, credentials } = webhookFile("").config;
  const gateway = await startGateway(runtimes, folder, { ...file, config: { ...file.config, webhook, credentials } });
  const [account] = await accounts(gateway, gateway.install, 1, { webhook_secret: "bench-secret" });
  await prepare(gateway, account);
  return { pid: gateway.pid, load: callsOf(gateway, account) };
}

const fillLog = (gateway, account) => load({ name: "log", load: callsOf(gateway, account) }, { amount: KEPT.log });

/** Events that wait for a paused subscription. */
async function fillOutbox(gateway, { webhook_url }) {
  const { id } = await gateway.call("POST", "/webhook", { target_url: "https://app.example/hooks", event_types: ["webhook:received"] });
  await gateway.call("PATCH", `/webhook/${id}`, { is_active: false });
  await load({ name: "outbox", load: posts(gateway.url, [new URL(webhook_url).pathname]) }, { amount: KEPT.outbox });
}

/** Answers of writes with an `Idempotency-Key`. */
async function fillResponses(gateway, account) {
  const { path, headers } = requestOf(gateway, account, "/proxy/ships");
  const requests = Array.from({ length: KEPT.responses }, (_, n) => ({ method: "POST", path, headers: { ...headers, "content-type": "application/json", "idempotency-key": `key-${n}` }, body: "{}" }));
  await load({ name: "responses", load: inTurn(gateway.url, () => requests) }, { amount: KEPT.responses });
}

/** The file with as many more resources as make it so large. A file of that size may not have as many templates as a small one's share. */
function fileOf(file, bytes) {
  const query = { sort: "id", fields: Array.from({ length: 100 }, (_, n) => `field_${n}`).join() };
  const more = (n) => ({ list: { path: `/more-${n}`, response_path: "data.more", query }, get: { path: `/more-${n}/{{id}}` } });
  const each = JSON.stringify({ "more-100": more(100) }).length;
  const count = Math.round((bytes - JSON.stringify(file).length) / each);
  const resources = Object.fromEntries(Array.from({ length: count }, (_, n) => [`more-${n}`, more(n)]));
  return { ...file, config: { ...file.config, resources: { ...file.config.resources, ...resources } } };
}
