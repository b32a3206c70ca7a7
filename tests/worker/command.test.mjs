// The `causeway` command against the built Worker; everything else of it is tested natively (tests/native/command).

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { start } from "./harness.mjs";

const program = path.resolve(import.meta.dirname, "../..", process.env.CAUSEWAY ?? "target/debug/causeway");
const file = path.join(import.meta.dirname, "integrations/api-key.json");
let gateway;
before(async () => {
  gateway = await start();
});
after(() => gateway.stop());

async function publish() {
  const env = { ...process.env, CAUSEWAY_TOKEN: gateway.vars.ADMIN_TOKEN };
  const { stdout } = await promisify(execFile)(program, ["publish", file, "--to", String(gateway.url)], { env });
  return stdout;
}

test("publishing creates, then leaves alone what is there", async () => {
  assert.equal(await publish(), "✓ api-key: created, version 1\n");
  assert.equal(await publish(), "✓ api-key: unchanged, version 1\n");
});

test("the schema is served without a token", async () => {
  const response = await gateway.fetch("/integration.schema.json");
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/schema+json");
  assert.ok((await response.json()).properties.config);
});
