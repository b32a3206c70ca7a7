// The official conformance suite of MCP (server side), and the command line of its inspector, against the built Worker.
//
// Scenarios of the suite call tools, resources and prompts by fixed names. A provider that answers as they expect plays those tools that
// a proxied API can be; the others ask for what this server does not offer.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { plant } from "./canaries.mjs";
import { eachCase } from "./cases.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";
import { ok } from "./steps.mjs";

const ROOT = path.join(import.meta.dirname, "../..");
const SUITE = path.join(ROOT, "node_modules/.bin/conformance");
/** The command line of the inspector reads a package.json two folders above it, where the package of the whole inspector has one. */
const INSPECTOR = path.join(ROOT, "build/inspector");
const CLI = path.join(INSPECTOR, "cli/build/cli.js");
/** Scenarios that apply; the others: */
const APPLIES = ["server-initialize", "ping", "tools-list", "tools-call-simple-text", "tools-call-error", "dns-rebinding-protection"];
const LEFT_OUT = {
  "no image, audio or resource comes of an API": ["tools-call-image", "tools-call-audio", "tools-call-embedded-resource", "tools-call-mixed-content"],
  "no stream: one JSON answer for each request": ["tools-call-with-logging", "tools-call-with-progress", "server-sse-polling", "server-sse-multiple-streams"],
  "no request of the server's own": ["tools-call-sampling", "tools-call-elicitation", "elicitation-sep1034-defaults", "elicitation-sep1330-enums"],
  "no such capability": ["logging-set-level", "completion-complete"],
  "no resources": ["resources-list", "resources-read-text", "resources-read-binary", "resources-templates-read", "resources-subscribe", "resources-unsubscribe"],
  "no prompts": ["prompts-list", "prompts-get-simple", "prompts-get-with-args", "prompts-get-embedded-resource", "prompts-get-with-image"],
  "schemas are a flat object of arguments": ["json-schema-2020-12"],
};

let scripted, url, folder;
/** The suite's own requests come from a page at the URL that it is given: its origin is known before the gateway starts. */
const front = createServer((client) => {
  const { hostname, port } = scripted.gateway.url;
  const gateway = connect(Number(port), hostname);
  for (const [one, other] of [[client, gateway], [gateway, client]]) one.on("error", () => other.destroy()).pipe(other);
});
before(async () => {
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  const origin = `http://127.0.0.1:${front.address().port}`;
  folder = await mkdtemp(path.join(tmpdir(), "causeway-mcp-"));
  const cli = path.join(ROOT, "node_modules/@modelcontextprotocol/inspector-cli");
  await mkdir(INSPECTOR, { recursive: true });
  await cp(cli, path.join(INSPECTOR, "cli"), { recursive: true });
  await cp(path.join(cli, "package.json"), path.join(INSPECTOR, "package.json"));
  scripted = await startScriptedProvider({ vars: { MCP_ALLOWED_ORIGINS: origin } });
  const post = (of) => ({ method: "post", path: of, ignore_body: true, description: "A tool of the suite." });
  const resources = { simple: { text: post("/simple") }, error: { handling: post("/error") }, ships: { list: { path: "/ships", description: "Lists ships." } } };
  const { account } = await scripted.install({ resources }, { name: "test" });
  scripted.answers.set("/simple", () => ({ headers: { "content-type": "text/plain" }, body: "This is a simple text response for testing." }));
  scripted.answers.set("/error", () => ({ status: 500, body: { error: "This tool intentionally returns an error for testing" } }));
  scripted.answers.set("/ships", () => ({ body: [{ name: "Fram" }] }));
  const made = ok(await scripted.environment.call("POST", `/integrated-account/${account.id}/mcp`, { name: "suite" }), 201);
  plant("an MCP token", made.token, { not: ["stored", "logged"] });
  url = new URL(new URL(made.url).pathname, origin).href;
});
after(async () => {
  front.close();
  await scripted?.stop();
  await rm(folder, { recursive: true, force: true });
});

const run = (tool, ...args) =>
  new Promise((resolve) => {
    execFile(process.execPath, [tool, ...args], { cwd: folder, timeout: 120_000 }, (error, stdout, stderr) => resolve({ code: error ? (error.code ?? 1) : 0, output: `${stdout}${stderr}`, stdout }));
  });

test("every scenario of the suite applies or is left out with a reason", async () => {
  const { stdout } = await run(SUITE, "list", "--server");
  const all = [...stdout.matchAll(/^ {2}- ([\w-]+)/gm)].map(([, name]) => name);
  assert.deepEqual(all.sort(), [...APPLIES, ...Object.values(LEFT_OUT).flat()].sort());
});

test("every scenario that applies passes", async () => {
  await eachCase(APPLIES, async (scenario) => {
    const { code, output } = await run(SUITE, "server", "--url", url, "--scenario", scenario);
    assert.equal(code, 0, `${scenario}: ${output}`);
    assert.match(output, /Passed: ([1-9]\d*)\/\1, 0 failed, 0 warnings/, output);
  });
});

test("the inspector lists the tools and calls one", async () => {
  const listed = await run(CLI, "--cli", url, "--transport", "http", "--method", "tools/list");
  assert.equal(listed.code, 0, listed.output);
  assert.ok(JSON.parse(listed.stdout).tools.some((tool) => tool.name === "list_all_test_ships"));
  const called = await run(CLI, "--cli", url, "--transport", "http", "--method", "tools/call", "--tool-name", "list_all_test_ships", "--tool-arg", "limit=5");
  assert.equal(called.code, 0, called.output);
  assert.deepEqual(JSON.parse(called.stdout).structuredContent, { result: [{ name: "Fram" }], next_cursor: null });
});
