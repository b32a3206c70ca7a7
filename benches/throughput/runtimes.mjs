// workerd processes of a benchmark: one for each Worker that is started, so that /proc has what it used and nothing else.

import { existsSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Miniflare, NoOpLog } from "miniflare";
import { parse } from "smol-toml";
import { localWorker, manifest, root } from "../../scripts/local-worker.mjs";
import { withRowCounts } from "./row-counts.mjs";

/** Memory where there is such a folder: else a row that stores shows how long the disk takes to confirm, which is another on the platform. */
const FOLDERS = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const SETTINGS = { EU_JURISDICTION: "off", ALLOW_PRIVATE_UPSTREAMS: "true" };
const DIRECT = { unsafeDirectSockets: [{}] };

// The Worker's own lines, one or more for each request: only what went wrong is shown, and once.
const shown = new Set();
const handleStructuredLogs = ({ level, message }) => {
  if (level !== "error" || shown.has(message)) return;
  shown.add(message);
  console.error(message.slice(0, 500));
};

/** Folders that are deleted at the latest when this process ends, by Ctrl-C too. */
const folders = new Set();
process.on("exit", () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** What runs for one row; `end` ends all of it. */
export class Runtimes {
  #ends = [];

  /** A folder that is deleted at the end. */
  async folder() {
    const folder = await mkdtemp(path.join(FOLDERS, "causeway-bench-"));
    folders.add(folder);
    this.#ends.push(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }

  /** Runs a Worker (an entry of Miniflare's `workers`): `{url, pid, runtime, stop}`. */
  async start(worker, { folder, ...more } = {}) {
    const resourcePersistencePath = folder ?? (await this.folder());
    const others = new Set(runtimePids());
    for (const exported of Object.values(worker.config.exports)) exported.unsafePreventEviction = true; // else an object ends after 10 s without a request
    const runtime = new Miniflare({ cf: false, log: new NoOpLog(), handleStructuredLogs, logRequests: false, telemetry: { enabled: false }, resourcePersistencePath, ...more, workers: [worker] });
    let isStopped = false;
    const stop = async () => {
      if (!isStopped) await runtime.dispose();
      isStopped = true;
    };
    this.#ends.push(stop);
    await runtime.ready;
    const pid = runtimePids().find((pid) => !others.has(pid));
    // Where the Worker listens itself, without Miniflare's own Worker in front.
    const url = String(await runtime.unsafeGetDirectURL(worker.config.name)).replace(/\/$/, "");
    return { url, pid, runtime, stop };
  }

  /** The gateway of a build folder, as `start` does. `countsRows`: it has `GET /row-counts` (row-counts.mjs). */
  async gateway(build, vars, { countsRows = false, ...more } = {}) {
    const worker = await gatewayWorker(build, vars);
    return this.start(countsRows ? withRowCounts(worker) : worker, more);
  }

  /** A Worker of one file of `workers/`, as `start` does. */
  async javascript(name, vars, more) {
    return this.start(await plainWorker(name, vars), more);
  }

  /** The floor of Rust futures, as `start` does. */
  async rust(vars, more) {
    return this.start(await floorWorker(vars), more);
  }

  async end() {
    for (const end of this.#ends.toReversed()) await end();
  }
}

export const gatewayWorker = (build, vars) => localWorker({ build, vars: { ...SETTINGS, ...vars }, dev: DIRECT });

/** The class of each file of `workers/`. */
const CLASSES = { passthrough: "Holder", floor: "Holder", inbox: "Inbox", sender: "Outbox", reader: "Reader" };

export async function plainWorker(name, vars = {}) {
  const folder = path.join(import.meta.dirname, "workers");
  const contents = await readFile(path.join(folder, `${name}.js`), "utf8");
  return withClass(name, CLASSES[name], vars, { mainModule: `${name}.js`, modulesRoot: folder, modules: { [`${name}.js`]: { type: "esm", contents } } });
}

/** `benches/floor`, built. */
export const floorWorker = async (vars) => withClass("rust-floor", "Holder", vars, await manifest(path.join(root, "build/floor")));

/** A Worker with one class of objects in SQLite, bound as OBJECT; compatibility as the gateway's. */
async function withClass(name, exportName, vars, manifest) {
  const wrangler = parse(await readFile(path.join(root, "wrangler.toml"), "utf8"));
  const texts = Object.entries(vars).map(([key, value]) => [key, { type: "text", value }]);
  return {
    config: {
      name,
      compatibilityDate: wrangler.compatibility_date,
      compatibilityFlags: wrangler.compatibility_flags,
      manifest,
      env: { ...Object.fromEntries(texts), OBJECT: { type: "durable-object", worker: name, exportName } },
      exports: { [exportName]: { type: "durable-object", storage: "sqlite" } },
    },
    dev: DIRECT,
  };
}

/** The workerd among the children of this process. */
function runtimePids() {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").trim().split(" ");
  return children.filter((pid) => pid && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("workerd"));
}
