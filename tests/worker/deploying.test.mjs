// `make deploy` and `make secret`: where the gateway is, whether it works, which secret may be sent, and what the operator reads.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { adminToken, gatewayUrl, untilHealthy } from "../../scripts/answering.mjs";
import { secretToSend, sealingIds } from "../../scripts/deploy-vars.mjs";
import { randomAdminToken, randomSealingKey } from "../../scripts/dev-vars.mjs";
import { nextStep } from "../../scripts/wrangler.mjs";
import { eachCase } from "./cases.mjs";

/** What `use` of a server's URL gives. Each request gets the next of the answers `[status, body]`, and the last one from then on. */
async function withServer(answers, use) {
  const left = [...answers];
  const server = createServer((_, response) => {
    const [status, body] = left.length > 1 ? left.shift() : left[0];
    response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await use(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const HEALTHY = [200, { status: "ok", problems: [] }];
const quickly = { tries: 3, pause: 1 };

describe("the deployed gateway", () => {
  test("is where the operator says, where wrangler deployed it, or at PUBLIC_URL", () => {
    const output = "Uploaded causeway (2 sec)\nDeployed causeway triggers (1 sec)\n  https://causeway.me.workers.dev\nCurrent Version ID: 1\n";
    const toml = 'name = "causeway"\n[vars]\nPUBLIC_URL = "https://gateway.example"\n';
    assert.equal(gatewayUrl({ env: { CAUSEWAY_URL: "https://said.example" }, output, toml }), "https://said.example");
    assert.equal(gatewayUrl({ env: {}, output, toml }), "https://causeway.me.workers.dev");
    assert.equal(gatewayUrl({ env: {}, output: "  gateway.example (custom domain)\n", toml }), "https://gateway.example");
    assert.equal(gatewayUrl({ env: {}, output: "", toml: 'name = "causeway"\n' }), undefined);
  });

  test("may take a while to be healthy", () => withServer([[404, "There is nothing here yet"], [503, { problems: ["ADMIN_TOKEN is not set"] }], HEALTHY], (url) => untilHealthy(url, quickly)));

  test("says which settings are wrong", () =>
    withServer([[503, { status: "misconfigured", problems: ["SEALING_KEYS is not set", "LIST_PAGES is not a number"] }]], (url) =>
      assert.rejects(untilHealthy(url, quickly), ({ message }) => {
        for (const part of [`${url}/health answers 503`, "  - SEALING_KEYS is not set\n", "  - LIST_PAGES is not a number\n", "make deploy", `CAUSEWAY_URL=${url} `]) assert.ok(message.includes(part), message);
        return true;
      })));

  test("is another server, or cannot be reached", async () => {
    await withServer([[200, "<p>parked</p>"]], (url) => assert.rejects(untilHealthy(url, quickly), /answers 200, and not as a gateway does[^]*CAUSEWAY_URL=/));
    const closed = await withServer([HEALTHY], (url) => url);
    await assert.rejects(untilHealthy(closed, quickly), /cannot be reached \(ECONNREFUSED\)[^]*route or custom domain/);
  });

  test("is published to with the token of the environment, else of .deploy.vars", () => {
    assert.deepEqual(adminToken({ env: { ADMIN_TOKEN: "a" }, vars: { ADMIN_TOKEN: "b" } }), { token: "a", source: "ADMIN_TOKEN in the environment" });
    assert.deepEqual(adminToken({ env: {}, vars: { ADMIN_TOKEN: "b" } }), { token: "b", source: "ADMIN_TOKEN in .deploy.vars" });
    assert.equal(adminToken({ env: {}, vars: {} }).token, undefined);
  });
});

describe("a secret that is sent", () => {
  const [one, other] = [randomSealingKey(), `other:${randomSealingKey().split(":")[1]}`];

  test("is the value of .deploy.vars", () => {
    assert.deepEqual(sealingIds(`${one}, ${other},`), [one.split(":")[0], "other"]);
    const token = randomAdminToken();
    assert.equal(secretToSend("ADMIN_TOKEN", { ADMIN_TOKEN: token }), token);
    assert.equal(secretToSend("SEALING_KEYS", { SEALING_KEYS: `${other},${one}` }), `${other},${one}`);
  });

  test("is refused where it is missing or the gateway could not use it", () =>
    eachCase(
      [
        ["", {}, /make secret NAME=/],
        ["PUBLIC_URL", { PUBLIC_URL: "https://gateway.example" }, /make secret NAME=/],
        ["SEALING_KEYS", {}, /\.deploy\.vars has no SEALING_KEYS/],
        ["SEALING_KEYS", { SEALING_KEYS: "" }, /has no SEALING_KEYS/],
        ["SEALING_KEYS", { SEALING_KEYS: "," }, /is no list/],
        ["SEALING_KEYS", { SEALING_KEYS: one.split(":")[1] }, /is no list/],
        ["SEALING_KEYS", { SEALING_KEYS: `${one},new:${Buffer.alloc(31).toString("base64")}` }, /is no list/],
        ["SEALING_KEYS", { SEALING_KEYS: one.replace("=", "") }, /is no list/],
        ["SEALING_KEYS", { SEALING_KEYS: one.replace(":", ".:") }, /is no list/],
        ["SEALING_KEYS", { SEALING_KEYS: `${other},${other}` }, /names one id twice/],
        ["ADMIN_TOKEN", { ADMIN_TOKEN: "x".repeat(23) }, /fewer than 24/],
      ],
      ([name, vars, reason]) => assert.throws(() => secretToSend(name, vars), reason),
    ));
});

test("what wrangler refuses has a next step", () => {
  const steps = {
    "More than one account available but unable to select one in non-interactive mode.": /Set CLOUDFLARE_ACCOUNT_ID/,
    "You can either deploy your worker to one or more routes by specifying them in your wrangler.toml file, or register a workers.dev subdomain here:": /subdomain once/,
    "CPU limits are not supported for the Free plan. [code: 100328]": /\[limits\].*SFTP=off/,
    "In a non-interactive environment, it's necessary to set a CLOUDFLARE_API_TOKEN environment variable for wrangler to work.": /wrangler\.js login/,
    "Authentication error [code: 10000]": /Edit Cloudflare Workers/,
  };
  for (const [said, step] of Object.entries(steps)) assert.match(nextStep(`✘ [ERROR] ${said}\n`) ?? "", step);
  assert.equal(nextStep("✘ [ERROR] fetch failed\n"), undefined);
});
