// The integration for provider.mjs, its variants, and the steps of connecting an account by it.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { start } from "./harness.mjs";
import { CLIENTS, startProvider } from "./provider.mjs";
import { importAccount, integrationFile, newEnvironment, ok } from "./steps.mjs";
import { Visitor } from "./visitor.mjs";

/** name → the credential it keeps (all, when absent), what is changed in it and in `config`, the client that the install names. */
const VARIANTS = {
  "rotating-oauth": { keeps: "oauth2" },
  "rotating-oauth-post": { keeps: "oauth2", change: ({ options }) => (options.authorizationMethod = "body"), client: CLIENTS.post },
  "rotating-oauth-introspected": { keeps: "oauth2", change: ({ auth }) => (auth.introspectPath = "/token/introspection") },
  "rotating-oauth-form-post": { keeps: "oauth2", change: ({ params }) => (params.response_mode = "form_post") },
  "rotating-oauth-machine": { keeps: "oauth2_client_credentials" },
  "rotating-oauth-choice": {},
  "rotating-oauth-uninstalled": { keeps: "oauth2", change: (_, { actions }) => (actions.post_install = { type: "request", config: { path: "/nothing" } }) },
  "rotating-oauth-invalid": { keeps: "oauth2", change: (_, { actions }) => (actions.validation.config.path = "/nothing") },
};
export const variants = Object.keys(VARIANTS);

/** The file of a variant, for this provider. */
export async function oauthFile(provider, variant = "rotating-oauth") {
  const file = JSON.parse((await integrationFile("rotating-oauth")).replaceAll("https://rotating-oauth.example", provider.url));
  const { keeps, change } = VARIANTS[variant];
  if (keeps) file.config.credentials = { [keeps]: file.config.credentials[keeps] };
  change?.(file.config.credentials[keeps].config, file.config);
  return { ...file, name: variant };
}

/** Publishes a variant and installs it with our client at the provider: the install. */
export async function installOauth(gateway, environment, provider, variant = "rotating-oauth") {
  ok(await gateway.admin("PUT", `/integration/${variant}`, await oauthFile(provider, variant)), 200, 201);
  const { client_id, client_secret } = VARIANTS[variant].client ?? CLIENTS.basic;
  const override = { environment_variables: { client_id }, secret_environment_variables: { client_secret } };
  return ok(await environment.call("POST", "/environment-integration", { integration_name: variant, override }), 200, 201);
}

/** `{environment, installed}`: a new environment with a variant in it; `allowed` are its redirect origins. */
export async function oauthEnvironment(gateway, provider, { variant, allowed } = {}) {
  const environment = await newEnvironment(gateway, `rotating-oauth-${randomUUID()}`);
  if (allowed) ok(await gateway.admin("PATCH", `/environment/${environment.id}`, { allowed_redirect_origins: allowed }), 200);
  return { environment, installed: await installOauth(gateway, environment, provider, variant) };
}

/** What stories of OAuth begin with: `{provider, gateway, environment, installed, stop}`. */
export async function startOauth() {
  const provider = await startProvider();
  let gateway;
  const stop = async () => {
    await gateway?.stop();
    await provider.stop();
  };
  try {
    gateway = await start({ internet: "real" });
    return { provider, gateway, ...(await oauthEnvironment(gateway, provider)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Imports an account whose tokens the provider gave to us directly: `{…account, token}`. They end in `endsIn` seconds. */
export async function importOauthAccount(environment, installed, provider, { login = `keeper-${randomUUID()}`, endsIn } = {}) {
  const { expires_in, ...token } = await provider.client().tokens(login);
  const expires_at = new Date(Date.now() + (endsIn ?? expires_in) * 1_000).toISOString();
  const account = await importAccount(environment, installed, { beacon: "north-pier", oauth: { token: { ...token, expires_in, expires_at } } }, { authentication_method: "oauth2" });
  return { ...account, token };
}

/** `{id, link_token, url, expires_at}` */
export async function linkToken(environment, more = {}) {
  const who = "integrated_account_id" in more ? {} : { tenant_id: "tenant-1" };
  return ok(await environment.call("POST", "/link-token", { ...who, ...more }), 201);
}

/** Whether a redirect goes away from the gateway that made this link. */
export const leaves = (link) => (next) => new URL(next).origin !== new URL(link.url).origin;

/** The form's page, filled in and sent: the next page, or in its `next` where the browser is sent. */
export async function fillIn(link, { visitor = new Visitor(), values = { beacon: "North-Pier" }, query = "" } = {}) {
  const page = await visitor.open(link.url + query);
  assert.equal(page.status, 200, page.text);
  return visitor.submit(page, values, { until: leaves(link) });
}

/** The provider's authorization URL, which is not called. */
export async function toProvider(link, options) {
  const { next, status, text } = await fillIn(link, options);
  assert.ok(next, `the form was not accepted: ${status} ${text}`);
  return next;
}

/** All of it, up to where the browser ends: with the company's `redirect_uri` in `next`, or on our result page. */
export async function connect(environment, provider, { link, visitor = new Visitor(), integration = "rotating-oauth", login, deny, values, query, ...more } = {}) {
  link ??= await linkToken(environment, { integration, ...more });
  const page = await provider.signIn(await toProvider(link, { visitor, values, query }), { login, deny, visitor });
  const until = leaves(link);
  return page.next ? visitor.open(page.next, { from: provider.url, until }) : visitor.submit(page, {}, { until });
}

export const COMPANY = "https://company.example/done?tab=1";

/** What a redirect to `redirect_uri` says. */
export function resultOf({ next, status, text }) {
  assert.ok(next, `no redirect to the company: ${status} ${text}`);
  return Object.fromEntries(new URL(next).searchParams);
}

/** The account of a result, as the company reads it. */
export async function accountOf(environment, page) {
  const result = resultOf(page);
  assert.equal(result.result, "success", JSON.stringify(result));
  return ok(await environment.call("GET", `/integrated-account/${result.integrated_account_id}`), 200);
}

/** Connects a new account, in a new browser. */
export const connectedAccount = async (environment, provider, options) =>
  accountOf(environment, await connect(environment, provider, { redirect_uri: COMPANY, ...options }));

/** A proxied call that needs the account's token. */
export const callThings = (environment, { id }, path = "/proxy/things/thing-1") => environment.call("GET", `${path}?integrated_account_id=${id}`);

/** The names of an account's events, in order, read past the Worker. */
export async function eventNamesOf(gateway, { id }) {
  const rows = await gateway.rows("Account", `SELECT event.event FROM event, account WHERE account.record ->> 'id' = '${id}' ORDER BY number`);
  return rows.map(({ event }) => event.replace("integrated_account:", ""));
}
