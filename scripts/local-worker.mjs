// The built Worker as options for Miniflare, which runs it in the real runtime (workerd) on this machine.
// Names of bindings, classes and compatibility come from wrangler.toml, so that they are written down once.
// Used by `make dev` and by the Worker tests; knows neither ports nor secrets.

import { readFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "smol-toml";

export const root = path.resolve(import.meta.dirname, "..");

/**
 * The gateway as one entry of Miniflare's `workers`. `vars` and `ratelimits` win over those of wrangler.toml, and so does `build`, the
 * folder of the build that runs: make sets it by WORKER_BUILD. `services`: the names of other Workers by those of their bindings.
 * `assets`: with the page at /docs, for which a router of Miniflare's stands in front of the Worker.
 */
export const localWorker = ({ build = process.env.WORKER_BUILD, ...more } = {}) => worker("wrangler.toml", { build, ...more });

/** The SFTP Worker in the same way. */
export const localSftpWorker = () => worker("sftp/wrangler.toml");

async function worker(file, { vars, dev, ratelimits, build, services = {}, assets = false } = {}) {
  const wrangler = parse(await readFile(path.join(root, file), "utf8"));
  const folder = build ?? path.join(path.dirname(file), path.dirname(wrangler.main));
  return {
    config: {
      name: wrangler.name,
      compatibilityDate: wrangler.compatibility_date,
      compatibilityFlags: wrangler.compatibility_flags,
      manifest: await manifest(path.resolve(root, folder)),
      env: { ...textBindings({ ...wrangler.vars, ...vars }), ...kvBindings(wrangler), ...objectBindings(wrangler), ...rateLimits(ratelimits ?? wrangler.ratelimits ?? []), ...serviceBindings(services) },
      exports: sqliteClasses(wrangler),
      ...(assets && { assets: staticFiles(wrangler) }),
    },
    dev: { rootPath: root, ...dev },
  };
}

/** The modules of a build. */
export async function manifest(folder) {
  return {
    mainModule: "index.js",
    modulesRoot: folder,
    modules: {
      "index.js": { type: "esm", contents: await readFile(path.join(folder, "index.js"), "utf8") },
      "index_bg.wasm": { type: "wasm", contents: await readFile(path.join(folder, "index_bg.wasm")) },
    },
  };
}

function staticFiles({ assets }) {
  return { directory: path.join(root, assets.directory), runWorkerFirst: assets.run_worker_first, hasUserWorker: true };
}

function textBindings(vars) {
  return Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, { type: "text", value: String(value) }]));
}

function kvBindings({ kv_namespaces = [] }) {
  return Object.fromEntries(kv_namespaces.map(({ binding }) => [binding, { type: "kv", id: binding }]));
}

function objectBindings({ name: worker, durable_objects: { bindings } = { bindings: [] } }) {
  const binding = ({ name, class_name }) => [name, { type: "durable-object", worker, exportName: class_name }];
  return Object.fromEntries(bindings.map(binding));
}

function rateLimits(ratelimits) {
  return Object.fromEntries(ratelimits.map(({ name, namespace_id, simple }) => [name, { type: "rate-limit", namespace: namespace_id, simple }]));
}

function serviceBindings(services) {
  return Object.fromEntries(Object.entries(services).map(([name, worker]) => [name, { type: "worker", worker }]));
}

function sqliteClasses({ migrations = [] }) {
  const classes = migrations.flatMap((migration) => migration.new_sqlite_classes ?? []);
  return Object.fromEntries(classes.map((name) => [name, { type: "durable-object", storage: "sqlite" }]));
}
