// Runs the built Worker (build/) in the real runtime, with storage in a separate folder.
//
//   const gateway = await start({ internet: (request) => new Response("hello") });
//   after(() => gateway.stop());
//   const { status, body } = await gateway.admin("GET", "/integration");
//
// What runs is what is deployed; only the outside is ours: the internet, and what may happen
// between two operations (`between`).
//
// `stop` fails when a secret that was planted (canaries.mjs) is anywhere in the answers, the console or the storage: the operator's
// own secrets always are planted.

import { randomBytes } from "node:crypto";
import { channel } from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Miniflare, NoOpLog, Response as RuntimeResponse } from "miniflare";
import { localWorker } from "../../scripts/local-worker.mjs";
import { OPERATOR_MARK, assertNothingFound, look, lookInStorage, plant, watchAnswers } from "./canaries.mjs";
import { withFaults } from "./faults.mjs";
import { alarms, contents, fingerprint, holds, makeAlarmsDue, makeDeliveriesDue, rows } from "./storage.mjs";

/**
 * Options:
 * - `vars`: over those of wrangler.toml and the ones below.
 * - `persist`: a storage folder to use and keep; default: one in tmp, removed by `stop`.
 * - `internet`: `(Request) => Response` for every outgoing call, to any host; "real" for servers on
 *   loopback; by default every call is refused and makes `stop` throw.
 * - `tokenRate`: requests a token may send in 10 s; default: any number.
 * - `failedAuth`: failed authentications an address may send in 60 s; default: any number.
 * - `edit`: `(source) => source`, changes the JavaScript of the build before it runs.
 * - `between`: `(step) => void`, awaited before and after every operation on KV and every ask of an object (faults.mjs).
 * - `sftp`: the source of a Worker that is bound as `SFTP` (fake-sftp.mjs).
 * - `assets`: the page at /docs, too.
 * - `elsewhere`: a second isolate of the front Worker, with the same objects and the same KV, for `gateway.elsewhere()`.
 */
export async function start({ vars = {}, persist, internet, tokenRate, failedAuth, edit, between, sftp, assets = false, elsewhere = false } = {}) {
  const folder = persist ?? (await mkdtemp(path.join(tmpdir(), "causeway-")));
  const gateway = new Gateway(folder, persist === undefined, internet, between, {
    ADMIN_TOKEN: `adm_${OPERATOR_MARK}_${randomBytes(24).toString("base64url")}`,
    SEALING_KEYS: markedSealingKey(),
    EU_JURISDICTION: "off",
    ALLOW_PRIVATE_UPSTREAMS: "true",
    ...vars,
  });
  gateway.edit = edit;
  gateway.sftp = sftp;
  gateway.hasElsewhere = elsewhere;
  gateway.assets = assets;
  gateway.rates = { TOKEN_RATE: [tokenRate, 10], FAILED_AUTH: [failedAuth, 60] };
  await gateway.boot();
  return gateway;
}

const markedSealingKey = (id = "k1") => `${id}:${Buffer.concat([Buffer.from(OPERATOR_MARK), randomBytes(32 - OPERATOR_MARK.length)]).toString("base64")}`;

/** The operator's secrets that a test brings itself. */
function plantOperators({ ADMIN_TOKEN = "", SEALING_KEYS = "" }) {
  const keys = SEALING_KEYS.split(",").map((key) => Buffer.from(key.split(":")[1] ?? "", "base64"));
  const own = [ADMIN_TOKEN, ...keys].filter((value) => value.length >= 12 && !value.includes(OPERATOR_MARK));
  for (const value of own) plant("a secret of the operator", value);
}

class Gateway {
  /** Where the Worker listens; changes with `restart`. */
  url;
  /** What the Worker wrote to the console: `{level, message}`. */
  logs = [];
  #runtime;
  #process;
  #refused = [];

  constructor(folder, ownsFolder, internet, between, vars) {
    Object.assign(this, { folder, ownsFolder, internet, between, vars });
  }

  /** A raw call: redirects and encodings are the test's business. */
  fetch(pathAndQuery, { headers, ...init } = {}) {
    const plain = { "accept-encoding": "identity", ...headers };
    return fetch(new URL(pathAndQuery, this.url), { redirect: "manual", ...init, headers: plain });
  }

  /** A call with the admin token: `{status, headers, body}`, the body parsed where it is JSON. */
  admin(method, pathAndQuery, body, headers) {
    return this.as(this.vars.ADMIN_TOKEN)(method, pathAndQuery, body, headers);
  }

  /** The same with any token: `const call = gateway.as(token); await call("GET", "/integration")`. */
  as(token) {
    return async (method, pathAndQuery, body, headers = {}) => {
      const response = await this.fetch(pathAndQuery, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
      });
      return { status: response.status, headers: response.headers, body: parsed(await response.text()) };
    };
  }

  /** The same with any token, at another isolate of the front Worker. */
  async elsewhere(token, method, pathAndQuery, body) {
    const other = await this.#runtime.getWorker("elsewhere");
    const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "content-type": "application/json" }) };
    const response = await other.fetch(new URL(pathAndQuery, this.url).href, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    return { status: response.status, headers: response.headers, body: parsed(await response.text()) };
  }

  /** The runtime's resident memory in bytes, and the most it was since `forgetPeak`. */
  async memory() {
    const status = await readFile(`/proc/${this.#process.pid}/status`, "utf8");
    const bytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)[1]) * 1_024;
    return { now: bytes("VmRSS"), peak: bytes("VmHWM") };
  }

  /** From here on `memory().peak` is reset (proc(5), clear_refs). */
  forgetPeak() {
    return writeFile(`/proc/${this.#process.pid}/clear_refs`, "5");
  }

  /** Processor time of the runtime so far, in milliseconds. */
  async processorTime() {
    const [, fields] = (await readFile(`/proc/${this.#process.pid}/stat`, "utf8")).split(") ");
    const [user, system] = fields.split(" ").slice(11, 13).map(Number);
    return (user + system) * 10;
  }

  /** SIGKILL to the runtime, as a power cut would, even in the middle of a request. */
  async kill() {
    const ended = once(this.#process, "exit");
    if (this.#process.kill("SIGKILL")) await ended;
    await this.#runtime.dispose();
  }

  /** SIGKILL, and the same Worker again on the same storage: `late`, when every alarm and every delivery is due. `vars` may change. */
  async restart({ vars = {}, late = false } = {}) {
    Object.assign(this.vars, vars);
    await this.kill();
    if (late) await this.#letTimePass();
    await this.boot();
  }

  /** Drops every object of a class from memory (its statics and tasks with it); storage stays. */
  async evict(className) {
    const ids = await this.#runtime.listDurableObjectIds(className);
    for (const id of ids) {
      const evicted = this.#runtime.unsafeEvictDurableObject("causeway", className, { id });
      await evicted.catch((error) => {
        // One that has left memory by itself needs no help.
        if (!String(error).includes("not currently running")) throw error;
      });
    }
    return ids.length;
  }

  /** Rows from the SQLite of every object of a class, read past the Worker: `[{object, …}]`. */
  rows(className, query) {
    return rows(path.join(this.folder, "do", `causeway-${className}`), query);
  }

  /** The alarms that have not rung, but for those of another day, such as the end of old events: `[{object, …}]`. */
  async alarms() {
    const set = await alarms(path.join(this.folder, "do"));
    return set.filter(({ at }) => at < Date.now() + 86_400_000);
  }

  /** The published copy, read and written past the Worker. */
  config() {
    return this.#runtime.getKVNamespace("CONFIG");
  }

  /** file → hash of all storage, written-ahead pages included: equal before and after means nothing was written. */
  storage() {
    return fingerprint(this.folder);
  }

  /** file → hash of what is stored, the same across a restart. */
  contents() {
    return contents(this.folder);
  }

  /** The storage files that hold this text as it is. Of a secret there must be none. */
  filesHolding(text) {
    return holds(this.folder, text);
  }

  async stop() {
    await this.#runtime.dispose();
    await lookInStorage(this.folder);
    if (this.ownsFolder) await rm(this.folder, { recursive: true, force: true });
    if (this.#refused.length > 0) throw new Error(`The Worker called the internet, and no test had said what it answers: ${this.#refused.join(", ")}`);
    assertNothingFound();
  }

  async boot() {
    plantOperators(this.vars);
    const dev = this.internet === "real" ? {} : { outboundService: { type: "fetcher", handler: (request) => this.#outside(request) } };
    const set = Object.entries(this.rates).filter(([, [limit]]) => limit);
    const ratelimits = set.map(([name, [limit, period]], n) => ({ name, namespace_id: String(n + 1), simple: { limit, period } }));
    const worker = await localWorker({ vars: this.vars, dev, ratelimits, assets: this.assets });
    const main = worker.config.manifest.modules["index.js"];
    if (this.edit) main.contents = this.edit(main.contents);
    if (this.sftp) worker.config.env.SFTP = { type: "worker", worker: "sftp" };
    this.#process = await runtimeProcessOf(async () => {
      this.#runtime = new Miniflare({
        cf: false,
        log: new NoOpLog(),
        logRequests: false,
        telemetry: { enabled: false },
        handleStructuredLogs: (log) => this.#log(log),
        resourcePersistencePath: this.folder,
        workers: [this.between ? withFaults(worker, this.between) : worker, ...(this.hasElsewhere ? [elsewhereOf(worker)] : []), ...(this.sftp ? [sftpOf(worker, this.sftp)] : [])],
      });
      this.url = await this.#runtime.ready;
      watchAnswers(this.url);
    });
  }

  async #letTimePass() {
    const folder = path.join(this.folder, "do");
    await makeDeliveriesDue(folder);
    await makeAlarmsDue(folder);
  }

  async #outside(request) {
    if (this.internet === undefined) {
      this.#refused.push(`${request.method} ${request.url}`);
      return new RuntimeResponse("this test has no internet", { status: 502 });
    }
    const { status, statusText, headers, body } = await this.internet(request);
    return new RuntimeResponse(body, { status, statusText, headers });
  }

  #log(log) {
    this.logs.push(log);
    look("logged", Buffer.from(log.message), "the console");
    if (process.env.SHOW_LOGS) console.log(`[${log.level}] ${log.message}`);
  }
}

/** The front Worker once more: its objects are those of the first. */
const elsewhereOf = (worker) => ({ ...worker, config: { ...worker.config, name: "elsewhere", exports: {} } });

/** A Worker of one module, as the service that the gateway is bound to. */
const sftpOf = ({ config, dev }, source) => ({
  config: {
    name: "sftp",
    compatibilityDate: config.compatibilityDate,
    compatibilityFlags: [],
    manifest: { mainModule: "index.js", modulesRoot: dev.rootPath, modules: { "index.js": { type: "esm", contents: source } } },
    env: {},
    exports: {},
  },
  dev: { rootPath: dev.rootPath },
});

// Miniflare keeps its process to itself; Node announces every child, before it has its name.
async function runtimeProcessOf(work) {
  const children = [];
  const note = ({ process }) => children.push(process);
  channel("child_process").subscribe(note);
  try {
    await work();
  } finally {
    channel("child_process").unsubscribe(note);
  }
  return children.find(({ spawnfile }) => spawnfile.includes("workerd"));
}

/** The JSON of a text, or the text where it is none. */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
