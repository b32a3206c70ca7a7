// Asks `schemathesis` (PyPI) whether the running Worker answers as its /openapi.json says: no 5xx, no status, type or shape
// that is not documented. The Worker is the built one, with storage of its own and an invented provider behind it.
//
//   node scripts/schemathesis.mjs                    # all of it
//   node scripts/schemathesis.mjs --max-time 120 --include-path /webhook     # more options for `schemathesis run`
//
// OPENAPI=<file> takes another document than the Worker's own; SEED makes a run repeatable; SCHEMATHESIS_VENV keeps the tool
// elsewhere than in the folder for temporary files.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { start } from "../tests/worker/harness.mjs";
import { apiKeyAccount, ok } from "../tests/worker/steps.mjs";

const VERSION = "4.32.5";
const CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance";
const venv = process.env.SCHEMATHESIS_VENV ?? path.join(tmpdir(), `causeway-schemathesis-${VERSION}`);
const tool = path.join(venv, "bin", "schemathesis");

if (!existsSync(tool)) await install();
const folder = await mkdtemp(path.join(tmpdir(), "causeway-schemathesis-run-"));
const gateway = await start({ internet: provider });
try {
  process.exitCode = await examine();
} finally {
  await gateway.stop();
  await rm(folder, { recursive: true, force: true });
}

async function install() {
  console.log(`==> Installing schemathesis ${VERSION} into ${venv} (once, 1 minute)`);
  await run("python3", ["-m", "venv", venv]);
  await run(path.join(venv, "bin", "pip"), ["install", "--quiet", "--disable-pip-version-check", `schemathesis==${VERSION}`]);
}

/** What every call to a provider gets: something to list, to read and to cut. */
function provider({ method, url }) {
  const { pathname } = new URL(url);
  if (method === "DELETE") return new Response(null, { status: 204 });
  if (pathname.endsWith("/ships") && method === "GET") return Response.json({ data: { ships: [{ id: 1, name: "Fram" }] } });
  return Response.json({ id: 1, name: "Fram" }, { status: method === "POST" ? 201 : 200 });
}

/** The exit code of the tool. */
async function examine() {
  const document = process.env.OPENAPI ? path.resolve(process.env.OPENAPI) : new URL("/openapi.json", gateway.url).href;
  if (!process.env.OPENAPI && (await gateway.fetch("/openapi.json")).status !== 200) throw new Error("The Worker has no /openapi.json.");
  const config = path.join(folder, "schemathesis.toml");
  await writeFile(config, await settings());
  const options = ["--url", gateway.url.origin, "--checks", CHECKS, "--workers", "1", "--continue-on-failure", "--request-timeout", "20", "--generation-database", "none", "--suppress-health-check", "all"];
  const seed = process.env.SEED ? ["--seed", process.env.SEED] : [];
  return run(tool, ["--config-file", config, "run", document, ...options, ...seed, ...process.argv.slice(2)], { cwd: folder, mayFail: true });
}

/**
 * Time enough for a provider, since a call that has none is 504. Ids of what exists, so that more than 404 is seen; but none in a path that deletes. The files of a run without a
 * database go with its folder.
 */
async function settings() {
  const { environment, installed, account } = await apiKeyAccount(gateway);
  const webhook = ok(await environment.call("POST", "/webhook", { target_url: "https://company.example/hook" }), 201);
  const read = { "/environment/{id}": environment.id, "/integration/{id}": "api-key", "/environment-integration/{id}": installed.id, "/integrated-account/{id}": account.id, "/webhook/{id}": webhook.id };
  const operations = Object.entries(read).map(([where, id]) => `[[operations]]\ninclude-name = "GET ${where}"\nparameters = { "path.id" = "${id}" }\n`);
  const text = JSON.stringify;
  // TRACE is the one verb that Miniflare's own server ends at.
  return `generation.max-examples = 30
phases.coverage.unexpected-methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
headers = { Authorization = ${text(`Bearer ${gateway.vars.ADMIN_TOKEN}`)} }

[parameters]
"query.integrated_account_id" = ${text(account.id)}
"query.environment_id" = ${text(environment.id)}
"path.resource" = "ships"
"header.x-timeout-ms" = "20000"

${operations.join("\n")}`;
}

/** The exit code; what it leaves behind it leaves in `cwd`. */
async function run(command, options, { cwd = tmpdir(), mayFail = false } = {}) {
  const child = spawn(command, options, { stdio: "inherit", cwd });
  const [code] = await once(child, "exit");
  if (code !== 0 && !mayFail) throw new Error(`${command} ended with ${code}`);
  return code ?? 1;
}
