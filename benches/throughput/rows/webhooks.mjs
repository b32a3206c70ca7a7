// Inbound webhooks, verified and stored, on one account and on 200. The provider names no events, so that one signed request can be sent
// again and again and each is stored; nobody subscribes.

import { createHmac } from "node:crypto";
import { accounts, install, startGateway } from "../gateway.mjs";
import { alternate, inTurn } from "../measure.mjs";
import { comparison } from "../tables.mjs";

const ACCOUNTS = 200;
const SECRET = "bench-secret";
const TRANSFORM = '{ "event_type": "bench:" & body.type, "resource_type": "orders", "resource_id": $string(body.id), "payload": body }';
const BODY = JSON.stringify({ type: "order.paid", id: 4711, note: "x".repeat(960) });

export async function webhooks({ runtimes, builds }) {
  const inbox = await runtimes.javascript("inbox", { SECRET });
  const floor = await runtimes.javascript("floor", {});
  const rust = await runtimes.rust({});
  const gateways = [];
  for (const { name, folder } of builds) gateways.push(await startWithAccounts(runtimes, name, folder));
  const tables = [];
  for (const count of [1, ACCOUNTS]) {
    const side = (name, { pid, url }, paths) => ({ name, pid, load: posts(url, paths.slice(0, count)) });
    const sides = [
      side("JavaScript, WebCrypto and one INSERT", inbox, pathsOf("account")),
      side("FLOOR one INSERT, JavaScript", floor, pathsOf("inbox")),
      side("FLOOR one INSERT, Rust futures", rust, pathsOf("inbox")),
      ...gateways.flatMap((gateway) => [
        side(`${gateway.name}, the body as it came`, gateway, gateway.bare),
        side(`${gateway.name}, with a payload_transform`, gateway, gateway.transformed),
      ]),
    ];
    tables.push(comparison(`Webhook of 1 KB, HMAC-SHA256 verified, stored; ${count} account${count > 1 ? "s" : ""}`, await alternate(sides)));
  }
  for (const gateway of gateways) await assertStored(gateway, inbox);
  return tables;
}

const pathsOf = (name) => Array.from({ length: ACCOUNTS }, (_, n) => `/${name}-${n}`);

async function startWithAccounts(runtimes, name, folder) {
  const gateway = await startGateway(runtimes, folder, webhookFile("bench-bare"));
  const transformed = await install(gateway, webhookFile("bench-transformed", TRANSFORM));
  return { ...gateway, name, bare: await webhookPaths(gateway, gateway.install, ACCOUNTS), transformed: await webhookPaths(gateway, transformed, ACCOUNTS) };
}

/** Paths of the webhook addresses of new accounts. */
export async function webhookPaths(gateway, install, count) {
  const made = await accounts(gateway, install, count, { webhook_secret: SECRET });
  return made.map(({ webhook_url }) => new URL(webhook_url).pathname);
}

/** An integration whose webhooks are signed by HMAC-SHA256 over time and body. */
export function webhookFile(name, payload_transform) {
  const config = { algorithm: "sha256", secret: "{{webhook_secret}}", parts: ["$timestamp", ".", "$body"], compare_with: "$header.x-signature", timestamp: { from: "$header.x-timestamp", unit: "s", tolerance: 300 } };
  const fields = ["api_key", "webhook_secret"].map((field) => ({ name: field, label: field, type: "password" }));
  const webhook = { signature_verification: { format: "hmac", config }, ...(payload_transform && { payload_transform }) };
  return { name, config: { label: name, base_url: "https://api.example.com", credentials: { api_key: { format: "api_key", config: { fields } } }, webhook } };
}

/** A webhook that is signed now: `{method, headers, body}`. */
function signedWebhook() {
  const time = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac("sha256", SECRET).update(`${time}.${BODY}`).digest("hex");
  return { method: "POST", headers: { "content-type": "application/json", "x-timestamp": time, "x-signature": signature }, body: BODY };
}

/** What autocannon takes for webhooks to these paths in turn; the time of signing is that of a connection's start. */
export function posts(url, paths) {
  return inTurn(url, () => {
    const signed = signedWebhook();
    return paths.map((path) => ({ ...signed, path }));
  });
}

/** What was answered 200 is there. */
async function assertStored({ name, bare: [path], call }, inbox) {
  const { count } = await (await fetch(`${inbox.url}/account-0`)).json();
  const { result } = await call("GET", `/event?integrated_account_id=${path.split("/").at(-1).split("_")[0]}&event=webhook:received&limit=1000`);
  if (!(count > 0 && result.length > 0)) throw new Error(`stored: ${count} by JavaScript, ${result.length} listed by ${name}`);
}
