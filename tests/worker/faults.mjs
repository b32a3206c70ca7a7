// Lets a test make KV fail. The built module is wrapped by a second one that hands its classes an `env` whose CONFIG
// asks the test before each operation. Only the binding differs: the wasm and its glue are what is deployed.

import { Response } from "miniflare";

/** The worker of `localWorker`, with `onOperation({operation, key})` called before every KV operation. */
export function withFaults(worker, onOperation) {
  const { config } = worker;
  const classes = Object.keys(config.exports);
  return {
    ...worker,
    config: {
      ...config,
      manifest: {
        ...config.manifest,
        mainModule: "faulty.js",
        modules: { ...config.manifest.modules, "faulty.js": { type: "esm", contents: wrapper(classes) } },
      },
      env: { ...config.env, KV_FAULTS: { type: "fetcher", handler: (request) => ask(request, onOperation) } },
    },
  };
}

async function ask(request, onOperation) {
  try {
    await onOperation(await request.json());
    return new Response(null, { status: 204 });
  } catch (error) {
    return new Response(error.message, { status: 500 });
  }
}

const wrapper = (classes) => `
import Main, * as built from "./index.js";

const faulty = ({ KV_FAULTS, CONFIG, ...env }) => {
  const through = (operation) => async (key, ...rest) => {
    const body = JSON.stringify({ operation, key: typeof key === "string" ? key : undefined });
    const answer = await KV_FAULTS.fetch("http://kv/", { method: "POST", body });
    if (!answer.ok) throw new Error("KV " + operation.toUpperCase() + " failed: " + (await answer.text()));
    return CONFIG[operation](key, ...rest);
  };
  const operations = ["get", "getWithMetadata", "put", "list", "delete"];
  return { ...env, CONFIG: Object.fromEntries(operations.map((name) => [name, through(name)])) };
};

export default class extends Main {
  constructor(context, env) { super(context, faulty(env)); }
}
${classes.map((name) => `export class ${name} extends built.${name} {\n  constructor(state, env) { super(state, faulty(env)); }\n}`).join("\n")}
`;
