// docs/quickstart.md: every command of the page is run as the page has it, against `make dev` (scripts/dev.mjs) with a state of its own.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { root } from "../../scripts/local-worker.mjs";
import { startProvider } from "../../scripts/playground/provider.mjs";
import { buildDocsPage } from "../../scripts/docs-page.mjs";
import { eventually } from "./steps.mjs";
import { Visitor } from "./visitor.mjs";

const READY_SECONDS = 120;

let folder, dev, output = "", blocks;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "causeway-quickstart-"));
  await buildDocsPage();
  const page = await readFile(path.join(root, "docs/quickstart.md"), "utf8");
  blocks = new Map(page.split(/^## /m).slice(1).map((part) => [part.split("\n")[0], [...part.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block]) => block)]));
  await boot();
});
after(async () => {
  await end();
  await rm(folder, { recursive: true, force: true });
});

/** `make dev` without its build, which the tests have done. */
async function boot() {
  output = "";
  const env = { ...process.env, PORT: String(await freePorts()), STATE: path.join(folder, "state"), DEV_VARS: path.join(folder, "dev.vars") };
  dev = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", "scripts/dev.mjs"], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [dev.stdout, dev.stderr]) stream.on("data", (chunk) => (output += chunk));
  await eventually(() => assert.match(output, /Ctrl-C ends it/, output.slice(-2_000)), READY_SECONDS);
}

async function end() {
  if (dev.exitCode !== null) return;
  const exit = once(dev, "exit");
  dev.kill("SIGTERM");
  await exit;
}

/** A port of which the next one is free, too. */
async function freePorts() {
  for (;;) {
    const first = createServer().listen(0, "127.0.0.1");
    await once(first, "listening");
    const { port } = first.address();
    const second = createServer();
    const isFree = await new Promise((resolve) => second.once("error", () => resolve(false)).listen(port + 1, "127.0.0.1", () => resolve(true)));
    for (const server of [first, second]) server.close();
    if (isFree) return port;
  }
}

/** Runs blocks of the page after those that set the shell up: the lines of the output. */
async function run(...commands) {
  const [, shell] = blocks.get("1 Start");
  const script = [shell.replace(".state/", `${folder}/state/`), ...commands].join("\n");
  const { stdout } = await promisify(execFile)("bash", ["-euc", script], { cwd: root });
  return stdout.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

const block = (heading, n = 0) => blocks.get(heading)[n];

test("a call: a page, a record that is made, a record that is changed", async () => {
  const [page, made, changed] = await run(block("2 Call"));
  assert.deepEqual(page.result.map(({ id }) => id), ["contact-1", "contact-2"]);
  assert.equal(typeof page.next_cursor, "string");
  assert.equal(made.name, "Mary Jackson");
  assert.equal(changed.name, "Grace B. Hopper");
});

test("an account connects by OAuth on the hosted page, with the provider's consent", async () => {
  const [{ url }] = await run(block("3 Connect an account"));
  const visitor = new Visitor();
  let page = await visitor.open(url);
  const byOauth = page.links.find((link) => new URL(link).searchParams.get("credential") === "oauth2");
  if (byOauth) page = await visitor.open(byOauth, { from: page.url });
  page = await visitor.submit(page);
  assert.match(page.text, /Ada Keeper/);
  page = await visitor.submit(page, { answer: "allow" });
  assert.equal(page.status, 200, page.text);
  const [{ result }] = await run(block("3 Connect an account", 1));
  assert.deepEqual(result.map(({ status, authentication_method }) => [status, authentication_method]), [["active", "oauth2"]]);
  const [listed] = await run(`call "$api/proxy/orders?integrated_account_id=${result[0].id}&limit=1"`);
  assert.equal(listed.result[0].id, "order-1");
});

test("a webhook: refused without a signature, an event with one", async () => {
  const [refused, sent, events] = await run(block("4 Receive a webhook"));
  assert.equal(refused.code, "caller.bad_signature");
  assert.equal(sent.data.status, 200);
  assert.equal(events.result[0].event, "playground:contact.updated");
});

test("an agent lists the tools and calls one, also by the line that `make dev` prints", async (context) => {
  const { paths } = await (await fetch(new URL("/openapi.json", output.match(/Address +(\S+)/)[1]))).json();
  if (!paths["/mcp/{token}"]) return context.skip("this gateway has no MCP");
  const [listed, called] = await run(block("5 Let an agent call it"));
  assert.ok(listed.result.tools.some(({ name }) => name === "create_a_playground_contact"), JSON.stringify(listed));
  const { stdout } = await paste("A tool");
  for (const { result } of [called, JSON.parse(stdout)]) assert.deepEqual(result.structuredContent.result.map(({ id }) => id), ["contact-1", "contact-2"]);
});

/** Runs the command that `make dev` printed after this name. */
function paste(name) {
  const [, command] = output.match(new RegExp(`${name} +(curl .*)`));
  return promisify(execFile)("bash", ["-euc", command.replace("curl", "curl -s")]);
}

test("what `make dev` prints can be pasted", async () => {
  const { stdout } = await paste("A list");
  assert.equal(JSON.parse(stdout).result.length, 2);
  const link = output.match(/Connect +(\S+)/)[1];
  assert.match((await new Visitor().open(link, { asked: true })).text, /Is this you/);
  const docs = await fetch(output.match(/The API +(\S+)/)[1]);
  assert.match(await docs.text(), /swagger-ui/);
});

test("a second start has the same token and account, at another address of the provider, too", async () => {
  const printed = () => [output.match(/Token +(ct_\S+)/)[1], output.match(/integrated_account_id=([\w-]+)/)[1]];
  const before = printed();
  await end();
  await boot();
  assert.deepEqual(printed(), before);
  const [page] = await run(block("2 Call"));
  assert.equal(page.result.length, 2);
  const [, sent] = await run(block("4 Receive a webhook"));
  assert.equal(sent.data.status, 200);
});

test("the provider limits its callers, and says so", async () => {
  const provider = await startProvider({ secret: "s", limit: { requests: 2, seconds: 60 } });
  const ask = () => fetch(`${provider.url}/api/me`, { headers: { authorization: "Bearer playground-key" } });
  const answers = [await ask(), await ask(), await ask()];
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 429]);
  assert.deepEqual(answers.map(({ headers }) => headers.get("ratelimit-remaining")), ["1", "0", "0"]);
  assert.ok(Number(answers[2].headers.get("retry-after")) <= 60);
  provider.stop();
});
