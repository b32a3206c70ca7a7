// Lets a test intercept what the Worker asks of others: KV, and its own objects. The built module is wrapped by a second
// one that hands its classes an `env` whose bindings ask the test before and after each operation. Only the bindings
// differ: the wasm and its glue are what is deployed.

import { Response } from "miniflare";

/**
 * The worker of `localWorker`, with `between(step)` awaited around every operation; what it throws, the operation throws.
 * A step: `{when: "before" | "after", where: "KV" | class, what, key, message}`. `what` is KV's operation, the name of
 * the message (flows/ask.rs), or method and path of a call that is handed over; `key` is KV's, or the object's name.
 * An object's own erasing (`deleteAlarm`, `deleteAll`) has an "after" only: it is one tick with what was done before it.
 */
export function withFaults(worker, between) {
  const { config } = worker;
  const classes = Object.keys(config.exports);
  const objects = Object.entries(config.env).filter(([, { type }]) => type === "durable-object");
  return {
    ...worker,
    config: {
      ...config,
      manifest: {
        ...config.manifest,
        mainModule: "faulty.js",
        modules: { ...config.manifest.modules, "faulty.js": { type: "esm", contents: wrapper(classes, objects.map(([name, { exportName }]) => [name, exportName])) } },
      },
      env: { ...config.env, TEST: { type: "fetcher", handler: (request) => ask(request, between) } },
    },
  };
}

async function ask(request, between) {
  try {
    await between(await request.json());
    return new Response(null, { status: 204 });
  } catch (error) {
    return new Response(error.message, { status: 500 });
  }
}

const wrapper = (classes, objects) => `
import Main, * as built from "./index.js";

const tell = async (TEST, step) => {
  const answer = await TEST.fetch("http://test/", { method: "POST", body: JSON.stringify(step) });
  if (!answer.ok) throw new Error(step.where + " " + step.what + " failed: " + (await answer.text()));
};

const replacing = (object, replace) =>
  new Proxy(object, {
    get(target, property) {
      const value = target[property];
      if (Object.hasOwn(replace, property)) return replace[property](target);
      return typeof value === "function" && property !== "constructor" ? value.bind(target) : value;
    },
  });

const faulty = ({ TEST, CONFIG, ...env }) => {
  const around = async (step, work) => {
    await tell(TEST, { when: "before", ...step });
    const outcome = await work();
    await tell(TEST, { when: "after", ...step });
    return outcome;
  };

  const through = (what) => (key, ...rest) =>
    around({ where: "KV", what, key: typeof key === "string" ? key : undefined }, () => CONFIG[what](key, ...rest));
  const operations = ["get", "getWithMetadata", "put", "list", "delete"];

  const asked = async (where, key, stub, request) => {
    if (!request.headers.has("x-causeway-ask")) {
      return around({ where, what: request.method + " " + new URL(request.url).pathname, key }, () => stub.fetch(request));
    }
    const message = JSON.parse(await request.clone().text());
    const what = typeof message === "string" ? message : Object.keys(message)[0];
    return around({ where, what, key, message: message[what] }, () => stub.fetch(request));
  };
  const namespace = (where, binding) =>
    replacing(binding, {
      getByName: (target) => (name, ...rest) => ({ fetch: (...request) => asked(where, name, target.getByName(name, ...rest), new Request(...request)) }),
    });

  return {
    ...env,
    CONFIG: Object.fromEntries(operations.map((what) => [what, through(what)])),
    ...Object.fromEntries(${JSON.stringify(objects)}.map(([name, where]) => [name, namespace(where, env[name])])),
  };
};

const storing = (state, { TEST }, where) => {
  const intercepted = (what) => [what, (storage) => async (...values) => {
    await storage[what](...values);
    await tell(TEST, { when: "after", where, what });
  }];
  const storage = replacing(state.storage, Object.fromEntries(["deleteAlarm", "deleteAll"].map(intercepted)));
  return replacing(state, { storage: () => storage });
};

export default { fetch: (request, env, context) => Main.fetch(request, faulty(env), context) };
${classes.map((name) => `export class ${name} extends built.${name} {\n  constructor(state, env) { super(storing(state, env, "${name}"), faulty(env)); }\n}`).join("\n")}
`;
