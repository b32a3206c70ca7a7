// A client that a generator makes of /openapi.json, with its default options: it compiles, and it lists, gets and creates.

import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";
import { root } from "../../scripts/local-worker.mjs";
import { plant } from "./canaries.mjs";
import { start } from "./harness.mjs";
import { integrationFile } from "./steps.mjs";

const OPTIONS = { strict: true, exactOptionalPropertyTypes: false, noEmit: false, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, lib: ["lib.es2023.d.ts", "lib.dom.d.ts"], types: [] };
const SHIPS = [{ id: 1, name: "Fram" }, { id: 2, name: "Gjøa" }];

let folder, gateway;
before(async () => {
  // Below the repository, so that its packages are found.
  await mkdir(path.join(root, "build"), { recursive: true });
  folder = await mkdtemp(path.join(root, "build", "openapi-client-"));
  gateway = await start({ internet: provider });
});
after(async () => {
  await gateway?.stop();
  await rm(folder, { recursive: true, force: true });
});

function provider({ method, url }) {
  const { pathname } = new URL(url);
  if (method === "POST") return Response.json({ id: 3, name: "Maud" }, { status: 201 });
  return pathname.endsWith("/ships") ? Response.json({ data: { ships: SHIPS } }) : Response.json(SHIPS[0]);
}

/** What the compiler says of the client, which then is `client.js`: a line each. */
function compile() {
  const program = ts.createProgram([path.join(folder, "client.ts")], { ...OPTIONS, outDir: folder });
  const { diagnostics } = program.emit();
  return [...ts.getPreEmitDiagnostics(program), ...diagnostics].map(({ file, start: at, messageText }) => {
    const line = file ? `${path.basename(file.fileName)}:${file.getLineAndCharacterOfPosition(at).line + 1}: ` : "";
    return line + ts.flattenDiagnosticMessageText(messageText, "\n");
  });
}

test("openapi-typescript: the client compiles, lists, gets and creates", async () => {
  const types = await openapiTS(new URL("/openapi.json", gateway.url));
  await writeFile(path.join(folder, "api.ts"), astToString(types));
  await copyFile(path.join(import.meta.dirname, "openapi-client/client.ts"), path.join(folder, "client.ts"));
  assert.deepEqual(compile(), []);
  await writeFile(path.join(folder, "package.json"), '{"type":"module"}');
  const { configure, call } = await import(pathToFileURL(path.join(folder, "client.js")));

  const { origin } = gateway.url;
  const made = await configure(origin, gateway.vars.ADMIN_TOKEN, JSON.parse(await integrationFile("api-key")));
  assert.deepEqual(made.names, ["generated"]);
  assert.deepEqual(made.again, made.environment);
  assert.equal(made.environment.region, "wnam");
  assert.equal(made.missing, "caller.not_found");
  assert.deepEqual([made.version, made.status], [1, "active"]);

  const { body } = await gateway.admin("POST", "/api-token", { environment_id: made.environment.id, name: "generated", scopes: ["proxy"] });
  plant("an API token", body.token);
  const called = await call(origin, body.token, made.account);
  assert.deepEqual(called.records, SHIPS);
  assert.deepEqual([called.got, called.created, called.status], [SHIPS[0], { id: 3, name: "Maud" }, 201]);
});
