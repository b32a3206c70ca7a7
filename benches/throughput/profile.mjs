// `make profile`: a processor profile by the inspector of workerd. Writes build/ROW.cpuprofile (Chrome's format) and
// build/ROW-profile.txt, and prints the latter: the twenty functions with most samples, their own and with what they call.
// ROWS: `proxy`, proxied GETs, which is the default; `webhooks`, stored webhooks of one account; `webhooks-200`, of 200 accounts.
// BENCH_BUILD and BENCH_OLD as for `make bench`; the old build's files are named ROW-before.

import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { root } from "../../scripts/local-worker.mjs";
import { accounts, apiKeyFile, startGateway } from "./gateway.mjs";
import { load } from "./measure.mjs";
import { callsOf } from "./rows/calls.mjs";
import { posts, webhookFile, webhookPaths } from "./rows/webhooks.mjs";
import { Runtimes } from "./runtimes.mjs";
import { startUpstream } from "./upstream.mjs";

const SECONDS = 8;
const TOP = 20;

/** By row: starts the gateway of a build; `{runtime, load}`, what is sent to it. */
const ROWS = {
  proxy: async (start) => {
    const gateway = await start(await apiKeyFile(provider));
    const [account] = await accounts(gateway, gateway.install, 1);
    return { runtime: gateway.runtime, load: callsOf(gateway, account) };
  },
  webhooks: (start) => webhookLoad(start, 1),
  "webhooks-200": (start) => webhookLoad(start, 200),
};

const rows = (process.env.ROWS || "proxy").split(",");
const builds = [["", process.env.BENCH_BUILD || "build/names"]];
if (process.env.BENCH_OLD) builds.push(["-before", process.env.BENCH_OLD]);
const { provider, stop } = await startUpstream();
await mkdir(path.join(root, "build"), { recursive: true });
try {
  for (const row of rows) for (const [suffix, folder] of builds) await profiled(row, `${row}${suffix}`, path.resolve(root, folder));
} finally {
  stop();
}

async function webhookLoad(start, count) {
  const gateway = await start(webhookFile("profile"));
  const paths = await webhookPaths(gateway, gateway.install, count);
  return { runtime: gateway.runtime, load: posts(gateway.url, paths) };
}

async function profiled(row, name, folder) {
  const runtimes = new Runtimes();
  try {
    const side = { name, ...(await ROWS[row]((file) => startGateway(runtimes, folder, file, { inspectorPort: 0 }))) };
    await load(side, { duration: 3 });
    const profile = await sampled(side.runtime, () => load(side, { duration: SECONDS }));
    const text = [`${name}: ${folder}`, "", ...kindsOf(profile), "", ...topOf("self", profile), "", ...topOf("inclusive", profile), ""].join("\n");
    await writeFile(path.join(root, `build/${name}.cpuprofile`), JSON.stringify(profile));
    await writeFile(path.join(root, `build/${name}-profile.txt`), text);
    console.log(`\n${text}`);
  } finally {
    await runtimes.end();
  }
}

/** The profile of a Worker while `work` runs. */
async function sampled(runtime, work) {
  const socket = new WebSocket(new URL("/core:user:causeway", await runtime.getInspectorURL()));
  await once(socket, "open");
  let last = 0;
  const send = (method, params = {}) => {
    const id = ++last;
    const { promise, resolve, reject } = Promise.withResolvers();
    socket.addEventListener("message", function listen({ data }) {
      const message = JSON.parse(data);
      if (message.id !== id) return;
      socket.removeEventListener("message", listen);
      if (message.error) reject(new Error(`${method}: ${message.error.message}`));
      else resolve(message.result);
    });
    socket.send(JSON.stringify({ id, method, params }));
    return promise;
  };
  await send("Profiler.enable");
  await send("Profiler.setSamplingInterval", { interval: 200 });
  await send("Profiler.start");
  await work();
  const { profile } = await send("Profiler.stop");
  socket.close();
  return profile;
}

/** Lines of the functions with most samples. `kind`: `self` counts samples in the function, `inclusive` also those in what it calls. */
function topOf(kind, { nodes, samples }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const counts = new Map();
  for (const [id, count] of countsOf(samples)) {
    const names = new Set();
    for (let at = id; at !== undefined; at = kind === "inclusive" ? parents.get(at) : undefined) names.add(nameOf(byId.get(at)));
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return linesOf(kind, counts, samples.length);
}

function countsOf(samples) {
  const counts = new Map();
  for (const id of samples) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** Name and file of a function, without the compiler's hashes; where it has no name, its place. */
function nameOf({ callFrame: { functionName, url, lineNumber, columnNumber } }) {
  const file = url.includes("wasm-") ? "wasm" : url.split("/").at(-1);
  if (!functionName) return `(anonymous) ${file ? `${file}:${lineNumber + 1}:${columnNumber + 1}` : "native"}`;
  return `${functionName.replace(/::h[0-9a-f]{16}/, "").replaceAll(/\[[0-9a-f]{16}\]/g, "")} ${file}`.trimEnd();
}

/** Lines of the shares by kind of code, self. */
function kindsOf({ nodes, samples }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const counts = new Map();
  for (const [id, count] of countsOf(samples)) {
    const kind = kindOf(byId.get(id).callFrame);
    counts.set(kind, (counts.get(kind) ?? 0) + count);
  }
  return linesOf("by kind, self", counts, samples.length);
}

function kindOf({ functionName, url }) {
  if (functionName.startsWith("(") && functionName !== "(anonymous)") return functionName;
  if (url.includes("wasm-")) return "wasm";
  return url ? "JavaScript" : "platform and crossings (Request, Response, fetch, timers, wasm-to-js)";
}

function linesOf(title, counts, total) {
  const top = [...counts].filter(([name]) => name !== "(root)").sort(([, a], [, b]) => b - a).slice(0, TOP);
  return [`${title}, % of ${total} samples`, ...top.map(([name, count]) => `  ${((100 * count) / total).toFixed(1).padStart(5)}  ${name}`)];
}
