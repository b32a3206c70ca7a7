import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { assertError, eventually, install, integrationFile, newEnvironment, ok } from "./steps.mjs";

const shipped = path.resolve(import.meta.dirname, "../../integrations");
let gateway;
let kvIsDown = false;
before(async () => {
  gateway = await start({
    between({ where, what }) {
      if (kvIsDown && where === "KV" && what === "put") throw new Error("429 Too Many Requests");
    },
  });
});
after(() => gateway.stop());

test("PUT creates with 201, replaces with 200 and a higher version, and GET finds it by name and id", async () => {
  const created = ok(await gateway.admin("PUT", "/integration/api-key", await integrationFile("api-key")), 201);
  const replaced = ok(await gateway.admin("PUT", "/integration/api-key", await integrationFile("api-key")), 200);
  assert.equal(replaced.id, created.id);
  assert.ok(replaced.version > created.version);
  assert.equal(ok(await gateway.admin("GET", "/integration/api-key"), 200).id, created.id);
  assert.equal(ok(await gateway.admin("GET", `/integration/${created.id}`), 200).name, "api-key");
  assert.ok(ok(await gateway.admin("GET", "/integration"), 200).result.some(({ name }) => name === "api-key"));
});

test("POST of a name that exists is 409", async () => {
  ok(await gateway.admin("PUT", "/integration/api-key", await integrationFile("api-key")), 200, 201);
  assertError(await gateway.admin("POST", "/integration", await integrationFile("api-key")), 409, "caller.");
});

test("every shipped file validates without an error", async () => {
  await eachCase((await readdir(shipped).catch(() => [])).filter((name) => name.endsWith(".json")), async (file) => {
    const { valid, findings } = ok(await gateway.admin("POST", "/integration/validate", await readFile(path.join(shipped, file), "utf8")), 200);
    assert.ok(valid, `${file}: ${JSON.stringify(findings)}`);
  });
});

test("findings name the path and the nearest known key; nothing is stored", async () => {
  const file = JSON.parse(await integrationFile("api-key"));
  file.name = "misspelt";
  file.config.resorces = file.config.resources;
  delete file.config.resources;
  const { valid, findings } = ok(await gateway.admin("POST", "/integration/validate", file), 200);
  assert.equal(valid, false);
  const finding = findings.find(({ path: where }) => where.includes("resorces"));
  assert.match(`${finding.message} ${finding.hint}`, /resources/);
  assertError(await gateway.admin("PUT", "/integration/misspelt", file), 422, "caller.");
  assertError(await gateway.admin("GET", "/integration/misspelt"), 404, "caller.");
});

test("a malformed body is 400", async () => {
  assertError(await gateway.admin("PUT", "/integration/broken", '{"name":'), 400, "caller.");
});

test("a second install of the same integration answers 200 with the same install", async () => {
  const environment = await newEnvironment(gateway, "twice");
  const first = await install(gateway, environment, "api-key");
  const second = ok(await environment.call("POST", "/environment-integration", { integration_name: "api-key" }), 200);
  assert.equal(second.id, first.id);
  assert.equal(ok(await environment.call("GET", `/environment-integration/${first.id}`), 200).id, first.id);
});

test("while KV fails a save is not lost: it is published once KV is back", async () => {
  const environment = await newEnvironment(gateway, "kv");
  kvIsDown = true;
  const answer = await gateway.admin("PUT", "/integration/registry", await integrationFile("registry"));
  kvIsDown = false;
  const key = `integration/${ok(answer, 201).id}`;
  const published = async () => (await gateway.config()).get(key);
  assert.equal(await published(), null);
  assert.equal(ok(await gateway.admin("GET", "/integration/registry"), 200).name, "registry");
  ok(await environment.call("POST", "/environment-integration", { integration_name: "registry" }), 200, 201);
  await eventually(async () => assert.equal(JSON.parse(await published()).name, "registry"));
});
