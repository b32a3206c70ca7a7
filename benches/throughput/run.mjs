// `make bench`: every row of docs/performance.md in one run, compared with hand-written JavaScript in the same runtime. Load, provider and
// runtimes share this machine, so only the ratios mean something; processor time is the runtime's own, from /proc.
//
//   ROWS=proxy,list    some rows only; docs/performance.md is written when all have run
//   BENCH_BUILD=build  the folder of the build that is measured
//   BENCH_OLD=folder   a second build, measured in the same rounds
//   RECORDS=100000     records of the row `sync`
//   ROUNDS=9 DURATION=0.7 STARTS=5    rounds, seconds of a side in each, starts; `accounts`, `deliveries` and `sync` have rounds of their own

import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { root } from "../../scripts/local-worker.mjs";
import { writeDocument } from "./document.mjs";
import { list, proxy } from "./rows/calls.mjs";
import { deliveries } from "./rows/deliveries.mjs";
import { files, kept, many } from "./rows/growth.mjs";
import { size } from "./rows/size.mjs";
import { start } from "./rows/start.mjs";
import { sync } from "./rows/sync.mjs";
import { webhooks } from "./rows/webhooks.mjs";
import { Runtimes } from "./runtimes.mjs";
import { print } from "./tables.mjs";
import { startUpstream } from "./upstream.mjs";

const ROWS = { proxy, list, webhooks, deliveries, sync, accounts: many, file: files, kept, start, size };

const names = process.env.ROWS ? process.env.ROWS.split(",") : Object.keys(ROWS);
const unknown = names.filter((name) => !Object.hasOwn(ROWS, name));
if (unknown.length > 0) {
  console.error(`ROWS=${unknown.join(",")}: the rows are ${Object.keys(ROWS).join(",")}`);
  process.exit(2);
}
const builds = [{ name: "Causeway", folder: path.resolve(root, process.env.BENCH_BUILD || "build") }];
if (process.env.BENCH_OLD) builds.push({ name: "Causeway before", folder: path.resolve(root, process.env.BENCH_OLD) });

const { provider, stop } = await startUpstream();
const tables = [];
const times = [];
try {
  for (const name of names) {
    const begin = performance.now();
    tables.push(...(await measured(name)));
    times.push(`${name} ${((performance.now() - begin) / 1_000).toFixed(0)} s`);
  }
} finally {
  stop();
}
console.log(`\nMeasured in ${times.join(", ")}`);
await mkdir(path.join(root, "build"), { recursive: true });
await writeFile(path.join(root, "build/bench.json"), JSON.stringify(tables, null, 1));
if (!process.env.ROWS) await writeDocument(tables);

async function measured(name) {
  const runtimes = new Runtimes();
  try {
    const outcome = [await ROWS[name]({ runtimes, builds, provider })].flat();
    outcome.forEach(print);
    return outcome;
  } finally {
    await runtimes.end();
  }
}
