// Providers repeat what they were sent, and files change their mind: a credential that comes back in an error, in any form, reaches no
// caller, no record and no log; what was once a secret stays one.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { forget, forms, plant } from "./canaries.mjs";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { eventually, importAccount, newEnvironment, ok } from "./steps.mjs";
import { Outside, secret, plantedFile } from "./planted-provider.mjs";
import { Visitor } from "./visitor.mjs";

let gateway;
const outside = new Outside();
before(async () => {
  gateway = await start({ internet: outside.answer });
});
after(() => gateway?.stop());

/** A new environment with its own integration and an account. */
async function plantedAccount({ method = "api_key", change } = {}) {
  const name = `planted-${randomUUID()}`;
  const file = plantedFile(name, { change });
  ok(await gateway.admin("PUT", `/integration/${name}`, file), 201);
  const environment = await newEnvironment(gateway, name);
  const override = { secret_environment_variables: { app_key: secret(`app key of ${name}`) } };
  const installed = ok(await environment.call("POST", "/environment-integration", { integration_name: name, override }), 201);
  const key = secret(`key of ${name}`);
  const token = { access_token: secret(`access token of ${name}`), refresh_token: secret(`refresh token of ${name}`) };
  const context = method === "api_key" ? { api_key: key, pin: secret(`pin of ${name}`), place: "here" } : { oauth: { token } };
  const account = await importAccount(environment, installed, context, { authentication_method: method });
  return { ...environment, file, name, account, context, query: `integrated_account_id=${account.id}` };
}

/** What the search found since the last look must be nothing. */
function nothingFound(what) {
  const found = forget().map(({ name, form, place }) => `${name}, ${form}, ${place}`);
  assert.deepEqual(found, [], what);
}

describe("an error that repeats the request", () => {
  for (const status of [400, 401, 403, 404, 429, 500, 503]) {
    test(`${status}: in the body, the message and the record`, async () => {
      const { call, account, query, context } = await plantedAccount({ change: (config) => (config.error_expression = "{ 'message': 'refused: ' & body.seen }") });
      for (const [form, bytes] of Object.entries({ ...forms(context.api_key), bearer: Buffer.from(`Bearer ${context.api_key}`) })) {
        if (form.startsWith("UTF-16")) continue; // not text of this answer
        const seen = bytes.toString("latin1");
        outside.answers["/orders"] = () => Response.json({ seen, and: { pin: context.pin } }, { status });
        await call("GET", `/proxy/orders?${query}`, undefined, { "x-max-retries": "0" });
        nothingFound(`${status}, ${form}: ${seen}`);
        if (status === 401) break; // the account is switched off
      }
      await new Promise((resolve) => setTimeout(resolve, status === 403 ? 7_000 : 0));
      ok(await call("GET", `/integrated-account/${account.id}`), 200);
      ok(await call("GET", `/log?${query}`), 200);
      nothingFound(`${status}: the account, its log`);
    });
  }

  test("with the install's variable and a header of the answer", async () => {
    const { call, query } = await plantedAccount();
    outside.answers["/orders"] = ({ headers }) => Response.json({ headers }, { status: 400 });
    await call("GET", `/proxy/orders?${query}`);
    nothingFound("all headers of the request");
  });
});

test("a token endpoint that repeats the client's secret does not leak it", async () => {
  const { call, account } = await plantedAccount({ method: "oauth2" });
  outside.answers["/token"] = ({ body }) => Response.json({ error: "invalid_client", error_description: `seen: ${body} ${new URLSearchParams(body).get("client_secret")}` }, { status: 400 });
  const answer = await call("POST", "/integrated-account/refresh-credentials", { id: account.id });
  delete outside.answers["/token"];
  assert.ok(answer.status >= 400, String(answer.status));
  ok(await call("GET", `/integrated-account/${account.id}`), 200);
  nothingFound("invalid_client");
});

test("an action's result and its error repeat no secret", async () => {
  const { call, query, context } = await plantedAccount();
  for (const status of [200, 400]) {
    outside.answers["/repeats"] = () => Response.json({ seen: `Bearer ${context.api_key}`, list: [context.pin] }, { status });
    await call("POST", `/proxy/_/tell?${query}`, {});
    nothingFound(`an action, ${status}`);
  }
});

test("a validation that repeats what was typed tells it neither the page nor the account", async () => {
  const { call, name } = await plantedAccount({ change: (config) => (config.actions.validation = { type: "request", config: { path: "/check" } }) });
  outside.answers["/check"] = ({ headers }) => Response.json({ error: `unknown key ${headers.authorization}` }, { status: 403 });
  const link = ok(await call("POST", "/link-token", { tenant_id: "typed", integration: name }), 201);
  const visitor = new Visitor();
  const page = await visitor.open(`${link.url}&credential=api_key`);
  await visitor.submit(page, { api_key: secret("a key that does not fit") });
  ok(await call("GET", "/integrated-account?tenant_id=typed"), 200);
  nothingFound("a failed validation");
});

describe("a password field that the file calls so no more", () => {
  const changes = {
    "is text now": (config) => (config.credentials.api_key.config.fields.find(({ name }) => name === "pin").type = "text"),
    "is gone": (config) => (config.credentials.api_key.config.fields = config.credentials.api_key.config.fields.filter(({ name }) => name !== "pin")),
    "is gone with its credential": (config) => delete config.credentials.api_key,
  };
  for (const [what, change] of Object.entries(changes)) {
    test(`${what}: its value stays secret`, async () => {
      const { call, account, file, name } = await plantedAccount();
      change(file.config);
      ok(await gateway.admin("PUT", `/integration/${name}`, file), 200);
      ok(await call("PATCH", `/integrated-account/${account.id}`, { tenant_id: "another" }), 200);
      ok(await call("GET", `/integrated-account/${account.id}`), 200);
      const { result } = ok(await call("GET", `/event?integrated_account_id=${account.id}`), 200);
      await eachCase(result, async ({ id }) => ok(await call("GET", `/event/${id}`), 200));
      nothingFound(what);
    });
  }
});

test("what this file plants is looked for at all", async () => {
  const { call, query } = await plantedAccount();
  const name = plant("echoed", `shown-${randomUUID()}`);
  outside.answers["/orders"] = () => Response.json({ name });
  ok(await call("GET", `/custom/orders?${query}`), 200);
  await eventually(() => assert.ok(forget().length > 0));
});
