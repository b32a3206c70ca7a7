// A sync of 100,000 records: the first run, one that finds nothing changed, and one that finds 1 % changed, with a twin in JavaScript that
// stores each record that it reads; and what a caller of the same account feels of a run.

import { setTimeout as sleep } from "node:timers/promises";
import { accounts, apiKeyFile, startGateway } from "../gateway.mjs";
import { median, memoryOf, processorTime } from "../measure.mjs";
import { ROW_COUNTS } from "../row-counts.mjs";
import { callsOf } from "./calls.mjs";

const RECORDS = Number(process.env.RECORDS || 100_000);
const LIMIT = 1_000;
const ROUNDS = Number(process.env.ROUNDS || 3);
const RUNS = [
  { name: "first run", changed: 0 },
  { name: "nothing changed", changed: 0 },
  { name: "1 % changed", changed: 1 },
];
/** Memory is looked at when so much of the list is read. */
const PARTS = [0.1, 0.5, 1];
const MOST_SECONDS = 600;
/** What the provider takes for an answer while a caller is measured, in milliseconds. */
const DELAYS = [200, 0];
/** Milliseconds between two calls of one caller, at most: without chance they could fall into step with the pages. */
const LONGEST_PAUSE = 250;
const QUIET_SECONDS = 10;
const named = (count) => Math.round(count).toLocaleString("en-US");

export async function sync({ runtimes, builds, provider }) {
  const sides = [await twin(runtimes, provider)];
  for (const { name, folder } of builds) sides.push(await gatewaySide(runtimes, name, folder, provider));
  for (let round = 0; round < ROUNDS; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const read = await side.begin(round);
      const runs = [];
      for (const { changed } of RUNS) runs.push(await measured(side, provider, changed, read));
      side.rounds.push(runs);
    }
  }
  const table = runsTable(sides);
  const callers = [];
  for (const side of sides.slice(1)) for (const delay of DELAYS) callers.push(...(await whileRunning(side, provider, delay)));
  return [table, { title: `GET of one record by one caller, while a sync of the account reads ${named(RECORDS)} records`, columns: ["", "calls", "median ms", "ratio"], rows: callers }];
}

/** One reading of the list: `{seconds, cost, written, read, memory}`. */
async function measured({ name, pid, rowCounts }, provider, changed, read) {
  await makeList(provider, changed);
  const before = processorTime(pid);
  const rows = await rowCounts?.();
  const [seconds, memory] = await Promise.all([read(), memoryAt(name, pid, provider)]);
  const outcome = typeof seconds === "number" ? { seconds } : seconds;
  const after = await rowCounts?.();
  const counts = after && { written: after.written - rows.written, read: after.read - rows.read, wasm: after.memory };
  return { cost: processorTime(pid) - before, memory, ...counts, ...outcome };
}

const makeList = (provider, changed, delay = 0) => fetch(`${provider}/records?count=${RECORDS}&changed=${changed}&delay=${delay}`, { method: "PUT" });
const pagesRead = async (provider) => (await (await fetch(`${provider}/records`)).json()).pages;

/** The memory of a process when these parts of the list are read. */
async function memoryAt(name, pid, provider) {
  const deadline = Date.now() + MOST_SECONDS * 1_000;
  const memory = [];
  while (memory.length < PARTS.length) {
    if (Date.now() > deadline) throw new Error(`${name}: the list was not read in ${MOST_SECONDS} s`);
    if ((await pagesRead(provider)) >= (PARTS[memory.length] * RECORDS) / LIMIT) memory.push(memoryOf(pid));
    else await sleep(20);
  }
  return memory;
}

async function twin(runtimes, provider) {
  const { url, pid } = await runtimes.javascript("reader", { KEY: "key-1" });
  const begin = (round) => async () => {
    const started = performance.now();
    const answer = await fetch(`${url}/account-${round}`, { method: "POST", body: JSON.stringify({ url: `${provider}/v1/records`, limit: LIMIT }) });
    const rows = await answer.json();
    return { seconds: (performance.now() - started) / 1_000, ...rows };
  };
  return { name: "JavaScript, an INSERT for each record", pid, begin, rounds: [] };
}

async function gatewaySide(runtimes, name, folder, provider) {
  const gateway = await startGateway(runtimes, folder, await syncFile(provider), { countsRows: true });
  const begin = async () => {
    const [account] = await accounts(gateway, gateway.install, 1);
    return () => ran(gateway, account);
  };
  const rowCounts = async () => (await fetch(gateway.url + ROW_COUNTS)).json();
  return { name, pid: gateway.pid, gateway, begin, rowCounts, rounds: [] };
}

/** The file of proxied calls, with a list of records and its sync. */
async function syncFile(provider) {
  const file = await apiKeyFile(provider);
  const pagination = { format: "offset", config: { offset_key: "offset", limit_key: "limit", max_limit: LIMIT } };
  file.config.resources.records = { list: { path: "/records", response_path: "data", pagination } };
  file.config.syncs = { records: { resource: "records", query: { limit: String(LIMIT) }, record_id: "id", every: "30d", auto_start: false } };
  return file;
}

/** A run from its start to its end, by the gateway's own times, in seconds. */
async function ran({ call }, { id: integrated_account_id }) {
  const { id } = await call("POST", "/sync/records/run", { integrated_account_id });
  const deadline = Date.now() + MOST_SECONDS * 1_000;
  for (;;) {
    await sleep(500);
    const { result } = await call("GET", `/sync?integrated_account_id=${integrated_account_id}`);
    const run = result[0].last_run;
    if (run.id === id && run.status === "completed") return (Date.parse(run.ended_at) - Date.parse(run.started_at)) / 1_000;
    if (run.error || Date.now() > deadline) throw new Error(`the run is ${run.status}: ${JSON.stringify(run)}`);
  }
}

function runsTable(sides) {
  const rows = RUNS.flatMap(({ name }, n) =>
    sides.map((side) => {
      const typical = (pick) => median(side.rounds.map((runs) => pick(runs[n])));
      const ratio = (pick) => (side === sides[0] ? "1.00" : median(side.rounds.map((runs, round) => pick(runs[n]) / pick(sides[0].rounds[round][n]))).toFixed(2));
      const per = (amount) => (run) => run.seconds / (RECORDS / amount);
      const cost = (run) => run.cost / (RECORDS / 1_000);
      const memory = PARTS.map((_, part) => (typical((run) => run.memory[part]) / 2 ** 20).toFixed(0));
      return [`${side.name}, ${name}`, typical(per(10_000)).toFixed(2), ratio(per(10_000)), typical(cost).toFixed(1), ratio(cost), named(typical((run) => run.written)), named(typical((run) => run.read)), ...memory, side.rowCounts ? (typical((run) => run.wasm) / 2 ** 20).toFixed(1) : "–"];
    }),
  );
  const columns = ["", "s/10,000", "ratio", "CPU ms/1,000", "ratio", "rows written", "rows read", ...PARTS.map((part) => `MB at ${part * 100} %`), "MB of wasm"];
  return { title: `Sync of ${named(RECORDS)} records of 300 bytes, pages of ${named(LIMIT)}, median of ${ROUNDS}`, columns, rows, sides: sides.map(({ name, rounds }) => ({ name, rounds })) };
}

/** Calls of one caller without a run, and during a first run, at a provider that takes `delay` ms. */
async function whileRunning({ name, gateway }, provider, delay) {
  const [account] = await accounts(gateway, gateway.install, 1);
  const { url, headers } = callsOf(gateway, account);
  const [quiet, busy, ratios] = [[], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    await makeList(provider, 0, delay);
    await gateway.call("POST", "/sync/records/reset", { integrated_account_id: account.id });
    const end = performance.now() + QUIET_SECONDS * 1_000;
    const without = await times(url, headers, () => performance.now() > end);
    let isOver = false;
    const run = ran(gateway, account).finally(() => (isOver = true));
    const during = await times(url, headers, () => isOver);
    await run;
    quiet.push(...without);
    busy.push(...during);
    ratios.push(median(during) / median(without));
  }
  await makeList(provider, 0);
  const row = (what, all, ratio) => [`${name}, ${what}, a provider that takes ${delay} ms`, named(all.length), median(all).toFixed(2), ratio.toFixed(2)];
  return [row("no run", quiet, 1), row("first run", busy, median(ratios))];
}

/** Milliseconds of calls, one after the other, until it is over. */
async function times(url, headers, isOver) {
  const all = [];
  while (!isOver()) {
    const begin = performance.now();
    const answer = await fetch(url, { headers });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
    all.push(performance.now() - begin);
    await sleep(Math.random() * LONGEST_PAUSE);
  }
  return all;
}
