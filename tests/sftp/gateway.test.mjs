// The gateway and the SFTP Worker together, in front of a real sshd: what callers see.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { Miniflare, NoOpLog } from "miniflare";
import { localSftpWorker, localWorker, root as repository } from "../../scripts/local-worker.mjs";
import { hasOpenssh } from "./openssh.mjs";
import { scene } from "./scene.mjs";

/** The gateway with its own storage, and a function that calls it with a token. */
async function startGateway(folder) {
  const token = `adm_${randomBytes(24).toString("base64url")}`;
  const sftp = await localSftpWorker();
  const vars = { ADMIN_TOKEN: token, SEALING_KEYS: `k1:${randomBytes(32).toString("base64")}`, EU_JURISDICTION: "off", ALLOW_PRIVATE_UPSTREAMS: "true" };
  const main = await localWorker({ vars, services: { SFTP: sftp.config.name } });
  const runtime = new Miniflare({ cf: false, log: new NoOpLog(), logRequests: false, telemetry: { enabled: false }, handleStructuredLogs: () => {}, resourcePersistencePath: folder, workers: [main, sftp] });
  const url = await runtime.ready;
  const as = (bearer) => async (method, resource, body, headers = {}) => {
    const isJson = body !== undefined && typeof body === "object";
    const all = { authorization: `Bearer ${bearer}`, ...(isJson ? { "content-type": "application/json" } : {}), ...headers };
    const response = await fetch(new URL(resource, url), { method, headers: all, body: isJson ? JSON.stringify(body) : body });
    const text = await response.text();
    return { status: response.status, text, body: text.startsWith("{") ? JSON.parse(text) : undefined };
  };
  return { runtime, as, admin: as(token) };
}

describe("the gateway in front of an SFTP server", { skip: !hasOpenssh }, () => {
  const here = scene();

  it("connects an account, and lists, reads, writes, renames and deletes its files", async () => {
    const { account } = await here.openssh();
    writeFileSync(path.join(here.root, "a.txt"), "0123456789");
    const { runtime, as, admin } = await startGateway(path.join(here.folder, "state"));
    try {
      await admin("PUT", "/integration/sftp", JSON.parse(readFileSync(path.join(repository, "integrations/sftp.json"))));
      const environment = (await admin("POST", "/environment", { name: "files" })).body;
      const call = as((await admin("POST", "/api-token", { environment_id: environment.id, name: "files" })).body.token);
      const install = (await call("POST", "/environment-integration", { integration_name: "sftp" })).body;
      const context = { host: account.host, port: String(account.port), username: account.username, login: "private_key", private_key: account.private_key, host_key: account.host_keys[0], root: here.root };
      const imported = (more) => call("POST", "/integrated-account", { tenant_id: "t", environment_integration_id: install.id, authentication_method: "sftp", context: { ...context, ...more } });
      const refused = await imported({ username: "stranger" });
      assert.deepEqual([refused.status, refused.body.code], [422, "account.connection_error"]);
      const { id } = (await imported({})).body;
      const files = (method, rest, body, headers) => call(method, `/proxy/files${rest}${rest.includes("?") ? "&" : "?"}integrated_account_id=${id}`, body, headers);

      assert.deepEqual((await files("GET", "?path=/&limit=10")).body.result.map((entry) => entry.path), ["/a.txt"]);
      assert.equal((await files("GET", "/a.txt")).text, "0123456789");
      const part = await files("GET", "/a.txt", undefined, { range: "bytes=3-5" });
      assert.deepEqual([part.status, part.text], [206, "345"]);
      assert.equal((await files("PUT", "/b.txt", "content", { "content-type": "text/plain" })).body.size, 7);
      assert.equal((await files("POST", "/rename", { from: "/b.txt", to: "/c.txt" })).status, 200);
      assert.equal((await files("POST", "/stat", { path: "/c.txt" })).body.size, 7);
      assert.equal((await files("DELETE", "/c.txt")).status, 200);
      const missing = await files("GET", "/c.txt");
      assert.deepEqual([missing.status, missing.body.raw_response.sftp_status], [404, 2]);
      const key = await admin("POST", `/integrated-account/${id}/host-key`, {});
      assert.deepEqual([key.body.host_key, key.body.is_pinned], [account.host_keys[0], true]);
    } finally {
      await runtime.dispose();
    }
  });
});
