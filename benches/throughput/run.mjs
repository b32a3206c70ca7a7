// Requests per second of /proxy on plain workerd beside hand-written JavaScript in the same runtime, in one run.
// Only the ratios mean something: load, provider and runtime share this machine. Processor time is the runtime's own,
// from /proc, and so the steadier of the two. `PROFILE=1` also writes build/proxy.cpuprofile (Chrome's format).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import autocannon from "autocannon";
import { Miniflare, NoOpLog } from "miniflare";
import { randomAdminToken, randomSealingKey } from "../../scripts/dev-vars.mjs";
import { localWorker } from "../../scripts/local-worker.mjs";
import { profile } from "./profile.mjs";

const ROUNDS = Number(process.env.ROUNDS || 3);
const DURATION = Number(process.env.DURATION || 4);
const CONNECTIONS = 20;
const folder = await mkdtemp(path.join(tmpdir(), "causeway-bench-"));
const upstream = spawn(process.execPath, [path.join(import.meta.dirname, "upstream.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
let runtime;
try {
  const provider = `http://127.0.0.1:${String((await once(upstream.stdout, "data"))[0]).trim()}`;
  runtime = await workers(provider);
  const pid = runtimeOf(process.pid);
  const { url, token, account } = await prepared(provider);
  const plain = String(await runtime.unsafeGetDirectURL("passthrough")).replace(/\/$/, "");
  const headers = { authorization: `Bearer ${token}` };
  const one = `${url}/proxy/ships/1?integrated_account_id=${account}`;
  const page = `${url}/proxy/ships?integrated_account_id=${account}`;
  await table("GET one record of 1 KB, body streamed", pid, [
    { name: "JavaScript, bare pass-through", url: `${plain}/worker/v1/ships/1`, headers },
    { name: "JavaScript, through an object", url: `${plain}/object/v1/ships/1`, headers },
    { name: "Causeway /proxy/ships/1", url: one, headers },
  ]);
  await table("LIST a page of 100 records, 93 KB, cut out of its envelope", pid, [
    { name: "JavaScript, JSON.parse and Response.json", url: `${plain}/list/v1/ships`, headers },
    { name: "Causeway /proxy/ships", url: page, headers },
  ]);
  if (process.env.PROFILE) await profile(runtime, "causeway", "build/proxy.cpuprofile", () => load({ url: one, headers }));
} finally {
  await runtime?.dispose();
  upstream.kill();
  await rm(folder, { recursive: true, force: true });
}

async function workers(provider) {
  const gateway = await localWorker({
    vars: { ADMIN_TOKEN: randomAdminToken(), SEALING_KEYS: randomSealingKey(), EU_JURISDICTION: "off", ALLOW_PRIVATE_UPSTREAMS: "true" },
    dev: { unsafeDirectSockets: [{}] },
  });
  const passthrough = {
    config: {
      name: "passthrough",
      compatibilityDate: gateway.config.compatibilityDate,
      manifest: {
        mainModule: "passthrough.js",
        modulesRoot: import.meta.dirname,
        modules: { "passthrough.js": { type: "esm", contents: await readFile(path.join(import.meta.dirname, "passthrough.js"), "utf8") } },
      },
      env: {
        UPSTREAM: { type: "text", value: provider },
        KEY: { type: "text", value: "key-1" },
        HOLDER: { type: "durable-object", worker: "passthrough", exportName: "Holder" },
      },
      exports: { Holder: { type: "durable-object", storage: "sqlite" } },
    },
    dev: { unsafeDirectSockets: [{}] },
  };
  const started = new Miniflare({
    cf: false,
    log: new NoOpLog(),
    logRequests: false,
    telemetry: { enabled: false },
    resourcePersistencePath: folder,
    ...(process.env.PROFILE ? { inspectorPort: 0 } : {}),
    workers: [gateway, passthrough],
  });
  started.adminToken = gateway.config.env.ADMIN_TOKEN.value;
  await started.ready;
  return started;
}

/** The gateway with one account whose provider is `upstream.mjs`. */
async function prepared(provider) {
  const url = String(await runtime.unsafeGetDirectURL("causeway")).replace(/\/$/, "");
  const as = (token) => async (method, route, body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const answer = await fetch(url + route, { method, headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${route}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const admin = as(runtime.adminToken);
  const file = JSON.parse(await readFile(path.join(import.meta.dirname, "../../tests/worker/integrations/harbour.json"), "utf8"));
  file.config.base_url = `${provider}/v1`;
  await admin("PUT", "/integration/harbour", file);
  const environment = await admin("POST", "/environment", { name: "bench" });
  const { token } = await admin("POST", "/api-token", { environment_id: environment.id, name: "bench" });
  const call = as(token);
  const install = await call("POST", "/environment-integration", { integration_name: "harbour" });
  const account = await call("POST", "/integrated-account", {
    tenant_id: "t",
    environment_integration_id: install.id,
    authentication_method: "api_key",
    context: { api_key: "key-1" },
  });
  return { url, token, account: account.id };
}

/** Each way in turn, `ROUNDS` times; the best round of each stands, as noise only ever slows. */
async function table(title, pid, ways) {
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

function load({ url, headers, seconds = DURATION }) {
  return autocannon({ url, headers, connections: CONNECTIONS, duration: seconds });
}

/** The workerd among the children of a process. */
function runtimeOf(parent) {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8").trim().split(" ");
  return children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("workerd"));
}

/** Processor time a process has used, in ms; /proc counts in hundredths of a second. */
function processorMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
