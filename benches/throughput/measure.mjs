// What the benchmarks of the Worker share: plain JavaScript beside the gateway in one workerd, load on each in turn, and a table.

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import autocannon from "autocannon";
import { Miniflare, NoOpLog } from "miniflare";

const ROUNDS = Number(process.env.ROUNDS || 3);
const DURATION = Number(process.env.DURATION || 4);
const CONNECTIONS = 20;

/** A Worker of one file of this folder, `<name>.js`, with one class of objects in SQLite. */
export async function plainWorker({ config: { compatibilityDate } }, name, { class: exportName, binding, vars = {} }) {
  const file = `${name}.js`;
  const contents = await readFile(path.join(import.meta.dirname, file), "utf8");
  const texts = Object.entries(vars).map(([key, value]) => [key, { type: "text", value }]);
  return {
    config: {
      name,
      compatibilityDate,
      manifest: { mainModule: file, modulesRoot: import.meta.dirname, modules: { [file]: { type: "esm", contents } } },
      env: { ...Object.fromEntries(texts), [binding]: { type: "durable-object", worker: name, exportName } },
      exports: { [exportName]: { type: "durable-object", storage: "sqlite" } },
    },
    dev: { unsafeDirectSockets: [{}] },
  };
}

// The Worker's own lines, one or more for each request: only what went wrong is shown.
const handleStructuredLogs = ({ level, message }) => {
  if (level === "error") console.error(message);
};

/** The runtime with these Workers, ready. */
export async function started(folder, workers, more = {}) {
  const runtime = new Miniflare({ cf: false, log: new NoOpLog(), handleStructuredLogs, logRequests: false, telemetry: { enabled: false }, resourcePersistencePath: folder, ...more, workers });
  await runtime.ready;
  return runtime;
}

/** Where a Worker listens, without Miniflare's own in front. */
export const urlOf = async (runtime, worker) => String(await runtime.unsafeGetDirectURL(worker)).replace(/\/$/, "");

/** Admin calls: `calling(url)(token)(method, route, body)`; what is not 2xx ends the run. */
export const calling = (url) => (token) => async (method, route, body) => {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(url + route, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${route}: ${answer.status} ${await answer.text()}`);
  return answer.json();
};

/** Each way (`{name, …}`, see `load`) in turn, `ROUNDS` times; the best round of each stands, as noise only ever slows. */
export async function table(title, pid, ways) {
  for (const way of ways) await load({ ...way, seconds: 2 });
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of ways) {
      const before = processorMs(pid);
      const { requests, non2xx, errors } = await load(way);
      if (non2xx + errors > 0) throw new Error(`${way.name}: ${non2xx} answers were not 2xx, ${errors} calls failed`);
      way.perSecond = Math.max(way.perSecond ?? 0, requests.average);
      way.ms = Math.min(way.ms ?? Infinity, (processorMs(pid) - before) / requests.total);
    }
  }
  const [{ perSecond, ms }] = ways;
  console.log(`\n${title} (${CONNECTIONS} connections, best of ${ROUNDS} × ${DURATION} s)`);
  console.log(`  ${"".padEnd(42)} requests/s  ratio   processor ms/request  ratio`);
  for (const way of ways) {
    const columns = [way.perSecond.toFixed(0).padStart(10), (way.perSecond / perSecond).toFixed(2).padStart(6), way.ms.toFixed(3).padStart(22), (way.ms / ms).toFixed(2).padStart(6)];
    console.log(`  ${way.name.padEnd(42)} ${columns.join(" ")}`);
  }
}

/** `way`: what autocannon takes, such as `{url, headers}`. */
export function load({ seconds = DURATION, ...way }) {
  return autocannon({ ...way, connections: CONNECTIONS, duration: seconds });
}

/** The workerd among the children of a process. */
export function runtimeOf(parent) {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8").trim().split(" ");
  return children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("workerd"));
}

/** Processor time a process has used, in ms; /proc counts in hundredths of a second. */
function processorMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
