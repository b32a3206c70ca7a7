// Webhooks verified and stored per second, on one account and on 200, beside hand-written JavaScript (inbox.js) in the same runtime and
// run. As with /proxy only the ratios mean something. The provider names no events, so that one signed request can be sent again and
// again and each is stored; nobody subscribes.

import { createHmac } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { randomAdminToken, randomSealingKey } from "../../scripts/dev-vars.mjs";
import { localWorker } from "../../scripts/local-worker.mjs";
import { calling, plainWorker, runtimeOf, started, table, urlOf } from "./measure.mjs";

const ACCOUNTS = 200;
const SECRET = "bench-secret";
const TRANSFORM = '{ "event_type": "bench:" & body.type, "resource_type": "orders", "resource_id": $string(body.id), "payload": body }';

const folder = await mkdtemp(path.join(tmpdir(), "causeway-bench-"));
let runtime;
try {
  const gateway = await localWorker({
    vars: { ADMIN_TOKEN: randomAdminToken(), SEALING_KEYS: randomSealingKey(), EU_JURISDICTION: "off" },
    dev: { unsafeDirectSockets: [{}] },
  });
  runtime = await started(folder, [gateway, await plainWorker(gateway, "inbox", { class: "Inbox", binding: "INBOX", vars: { SECRET } })]);
  const pid = runtimeOf(process.pid);
  const plain = await urlOf(runtime, "inbox");
  const url = await urlOf(runtime, "causeway");
  const call = await environment(url, gateway.config.env.ADMIN_TOKEN.value);
  const bare = await accounts(call, "bench-bare");
  const transformed = await accounts(call, "bench-transformed", TRANSFORM);

  for (const count of [1, ACCOUNTS]) {
    await table(`POST a webhook of 1 KB: HMAC-SHA256 verified, stored; ${count} account${count > 1 ? "s" : ""}`, pid, [
      { name: "JavaScript, WebCrypto and one INSERT", ...posts(plain, Array.from({ length: count }, (_, n) => `/account-${n}`)) },
      { name: "Causeway, the body as it came", ...posts(url, bare.slice(0, count)) },
      { name: "Causeway, with a payload_transform", ...posts(url, transformed.slice(0, count)) },
    ]);
  }
  await assertStored(plain, call, bare);
} finally {
  await runtime?.dispose();
  await rm(folder, { recursive: true, force: true });
}

/** Calls with the token of a new environment and, for what is everybody's, of the admin. */
async function environment(url, adminToken) {
  const as = calling(url);
  const admin = as(adminToken);
  const { id } = await admin("POST", "/environment", { name: "bench" });
  const { token } = await admin("POST", "/api-token", { environment_id: id, name: "bench" });
  return { admin, own: as(token) };
}

/** Webhook addresses of `ACCOUNTS` accounts. */
async function accounts({ admin, own }, name, payload_transform) {
  const config = { algorithm: "sha256", secret: "{{webhook_secret}}", parts: ["$timestamp", ".", "$body"], compare_with: "$header.x-signature", timestamp: { from: "$header.x-timestamp", unit: "s", tolerance: 300 } };
  const fields = ["api_key", "webhook_secret"].map((field) => ({ name: field, label: field, type: "password" }));
  const webhook = { signature_verification: { format: "hmac", config }, ...(payload_transform && { payload_transform }) };
  await admin("PUT", `/integration/${name}`, { name, config: { label: name, base_url: "https://api.example.com", credentials: { api_key: { format: "api_key", config: { fields } } }, webhook } });
  const { id } = await own("POST", "/environment-integration", { integration_name: name });
  const made = { environment_integration_id: id, authentication_method: "api_key", context: { api_key: "key-1", webhook_secret: SECRET } };
  const paths = [];
  for (let n = 0; n < ACCOUNTS; n++) paths.push(new URL((await own("POST", "/integrated-account", { tenant_id: `t-${n}`, ...made })).webhook_url).pathname);
  return paths;
}

/** For autocannon: every connection goes round the paths, each from another one; the time of signing is that of its start. */
function posts(url, paths) {
  const body = JSON.stringify({ type: "order.paid", id: 4711, note: "x".repeat(960) });
  const headers = { "content-type": "application/json" };
  let connection = 0;
  const setupClient = (client) => {
    const time = String(Math.floor(Date.now() / 1_000));
    const signed = { ...headers, "x-timestamp": time, "x-signature": createHmac("sha256", SECRET).update(`${time}.${body}`).digest("hex") };
    const first = (connection++ * 7) % paths.length;
    const round = [...paths.slice(first), ...paths.slice(0, first)];
    client.setRequests(round.map((route) => ({ method: "POST", path: route, headers: signed, body })));
  };
  return { url, method: "POST", headers, body, setupClient };
}

/** What was answered 200 is there. */
async function assertStored(plain, { own }, paths) {
  const { count } = await (await fetch(`${plain}/account-0`)).json();
  const { result } = await own("GET", `/event?integrated_account_id=${paths[0].split("/").at(-1).split("_")[0]}&event=webhook:received&limit=1000`);
  if (!(count > 0 && result.length > 0)) throw new Error(`stored: ${count} by JavaScript, ${result.length} listed by Causeway`);
}
