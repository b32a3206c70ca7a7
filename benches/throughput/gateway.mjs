// The gateway of a benchmark, ready to be called: integrations, an environment, an install, accounts.

import { readFile } from "node:fs/promises";
import path from "node:path";
import { randomAdminToken, randomSealingKey } from "../../scripts/dev-vars.mjs";
import { root } from "../../scripts/local-worker.mjs";
import { each } from "./measure.mjs";

/** The secrets of a gateway. A second start on the same folder needs the same ones. */
export const secrets = () => ({ ADMIN_TOKEN: randomAdminToken(), SEALING_KEYS: randomSealingKey() });

/**
 * Starts the gateway of a build and makes what is to be called there: `{url, pid, runtime, stop, secrets, token, install, admin, call}`.
 * `admin` and `call` are `(method, route, body) => answer`, as the admin and as the environment's token.
 */
export async function startGateway(runtimes, build, file, more) {
  const own = secrets();
  const started = await runtimes.gateway(build, own, more);
  const admin = calling(started.url, own.ADMIN_TOKEN);
  const environment = await admin("POST", "/environment", { name: "bench" });
  const { token } = await admin("POST", "/api-token", { environment_id: environment.id, name: "bench" });
  const gateway = { ...started, secrets: own, token, admin, call: calling(started.url, token) };
  return { ...gateway, install: await install(gateway, file) };
}

/** Publishes an integration file and installs it; returns the install's id. `more`: further keys of the install. */
export async function install({ admin, call }, file, more) {
  await admin("PUT", `/integration/${file.name}`, file);
  const { id } = await call("POST", "/environment-integration", { integration_name: file.name, ...more });
  return id;
}

/** Imports accounts of an install; returns them. */
export const accounts = ({ call }, install, count, context) =>
  each(Array.from({ length: count }), (_, n) =>
    call("POST", "/integrated-account", { tenant_id: `t-${n}`, environment_integration_id: install, authentication_method: "api_key", context: { api_key: "key-1", ...context } }),
  );

/** The integration that proxied calls are measured with: a key in a header, `get` streamed, `list` cut. */
export async function apiKeyFile(provider) {
  const file = JSON.parse(await readFile(path.join(root, "tests/worker/integrations/api-key.json"), "utf8"));
  file.config.base_url = `${provider}/v1`;
  return file;
}

/** Whether a gateway knows leased calls. */
export async function hasEdgeCalls({ url }) {
  const document = await (await fetch(`${url}/openapi.json`)).text();
  return document.includes('"edge_calls"');
}

/** Calls that end the run when they are not answered 2xx. */
function calling(url, token) {
  return async (method, route, body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const answer = await fetch(url + route, { method, headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${route}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
}
