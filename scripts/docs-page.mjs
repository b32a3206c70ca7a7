// The page at /docs as static assets, which the platform serves without the Worker: the wasm has no room for a renderer.
//
//   node scripts/docs-page.mjs     # into build/assets
//
// swagger-ui-dist, because it runs under a Content-Security-Policy with neither 'unsafe-inline' nor 'unsafe-eval'. RapiDoc,
// openapi-explorer and Scalar's API reference write inline styles.

import { cp, mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { root } from "./local-worker.mjs";

const OWN = path.join(import.meta.dirname, "docs-page");
const RENDERER = path.join(root, "node_modules/swagger-ui-dist");

/** Writes the assets into a folder, which is emptied before. */
export async function buildDocsPage(folder = path.join(root, "build/assets")) {
  await rm(folder, { recursive: true, force: true });
  await mkdir(path.join(folder, "docs"), { recursive: true });
  const files = [
    ...["docs.html", "_headers"].map((name) => [path.join(OWN, name), name]),
    ...["page.js", "page.css"].map((name) => [path.join(OWN, name), `docs/${name}`]),
    ...["swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "swagger-ui.css", "LICENSE", "NOTICE"].map((name) => [path.join(RENDERER, name), `docs/${name}`]),
  ];
  await Promise.all(files.map(([from, to]) => cp(from, path.join(folder, to))));
  return folder;
}

if (process.argv[1] === import.meta.filename) await buildDocsPage();
