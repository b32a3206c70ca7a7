// Requests per second of /proxy on plain workerd beside hand-written JavaScript in the same runtime, in one run.
// Only the ratios mean something: load, provider and runtime share this machine. Processor time is the runtime's own,
// from /proc, and so the steadier of the two. `PROFILE=1` also writes build/proxy.cpuprofile (Chrome's format).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { randomAdminToken, randomSealingKey } from "../../scripts/dev-vars.mjs";
import { localWorker } from "../../scripts/local-worker.mjs";
import { calling, load, plainWorker, runtimeOf, started, table, urlOf } from "./measure.mjs";
import { profile } from "./profile.mjs";

const folder = await mkdtemp(path.join(tmpdir(), "causeway-bench-"));
const upstream = spawn(process.execPath, [path.join(import.meta.dirname, "upstream.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
let runtime;
try {
  const provider = `http://127.0.0.1:${String((await once(upstream.stdout, "data"))[0]).trim()}`;
  runtime = await workers(provider);
  const pid = runtimeOf(process.pid);
  const { url, token, account } = await prepared(provider);
  const plain = await urlOf(runtime, "passthrough");
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
  const passthrough = await plainWorker(gateway, "passthrough", { class: "Holder", binding: "HOLDER", vars: { UPSTREAM: provider, KEY: "key-1" } });
  const runtime = await started(folder, [gateway, passthrough], process.env.PROFILE ? { inspectorPort: 0 } : {});
  runtime.adminToken = gateway.config.env.ADMIN_TOKEN.value;
  return runtime;
}

/** The gateway with one account whose provider is `upstream.mjs`. */
async function prepared(provider) {
  const url = await urlOf(runtime, "causeway");
  const as = calling(url);
  const admin = as(runtime.adminToken);
  const file = JSON.parse(await readFile(path.join(import.meta.dirname, "../../tests/worker/integrations/api-key.json"), "utf8"));
  file.config.base_url = `${provider}/v1`;
  await admin("PUT", "/integration/api-key", file);
  const environment = await admin("POST", "/environment", { name: "bench" });
  const { token } = await admin("POST", "/api-token", { environment_id: environment.id, name: "bench" });
  const call = as(token);
  const install = await call("POST", "/environment-integration", { integration_name: "api-key" });
  const account = await call("POST", "/integrated-account", {
    tenant_id: "t",
    environment_integration_id: install.id,
    authentication_method: "api_key",
    context: { api_key: "key-1" },
  });
  return { url, token, account: account.id };
}
