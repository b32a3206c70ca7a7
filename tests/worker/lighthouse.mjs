// The integration for provider.mjs, its variants, and the steps of connecting an account by it.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { CLIENTS } from "./provider.mjs";
import { integrationFile, newEnvironment, ok } from "./steps.mjs";
import { Visitor } from "./visitor.mjs";

/** name → the credential it keeps (all, when absent), what is changed in it, and the client that the install names. */
const VARIANTS = {
  lighthouse: { keeps: "oauth2" },
  "lighthouse-post": { keeps: "oauth2", change: ({ options }) => (options.authorizationMethod = "body"), client: CLIENTS.post },
  "lighthouse-introspected": { keeps: "oauth2", change: ({ auth }) => (auth.introspectPath = "/token/introspection") },
  "lighthouse-form-post": { keeps: "oauth2", change: ({ params }) => (params.response_mode = "form_post") },
  "lighthouse-machine": { keeps: "oauth2_client_credentials" },
  "lighthouse-choice": {},
};
export const variants = Object.keys(VARIANTS);

/** The file of a variant, for this provider. */
export async function lighthouseFile(provider, variant = "lighthouse") {
  const file = JSON.parse((await integrationFile("lighthouse")).replaceAll("https://lighthouse.example", provider.url));
  const { keeps, change } = VARIANTS[variant];
  if (keeps) file.config.credentials = { [keeps]: file.config.credentials[keeps] };
  change?.(file.config.credentials[keeps].config);
  return { ...file, name: variant };
}

/** Publishes a variant and installs it with our client at the provider: the install. */
export async function installLighthouse(gateway, environment, provider, variant = "lighthouse") {
  ok(await gateway.admin("PUT", `/integration/${variant}`, await lighthouseFile(provider, variant)), 200, 201);
  const { client_id, client_secret } = VARIANTS[variant].client ?? CLIENTS.basic;
  const override = { environment_variables: { client_id }, secret_environment_variables: { client_secret } };
  return ok(await environment.call("POST", "/environment-integration", { integration_name: variant, override }), 200, 201);
}

/** A new environment with a variant installed; the companies' pages may be anywhere unless `allowed` says where. */
export async function lighthouseEnvironment(gateway, provider, variant = "lighthouse", allowed = []) {
  const environment = await newEnvironment(gateway, `${variant}-${randomUUID()}`);
  if (allowed.length > 0) ok(await gateway.admin("PATCH", `/environment/${environment.id}`, { allowed_redirect_origins: allowed }), 200);
  const installed = await installLighthouse(gateway, environment, provider, variant);
  return { environment, installed };
}

/** Imports an account whose tokens the provider gave to us directly; `expired` sets their end in the past. */
export async function importLighthouse(environment, installed, provider, { login = `keeper-${randomUUID()}`, expired = false } = {}) {
  const { expires_in, ...token } = await provider.client().tokens(login);
  const expires_at = new Date(Date.now() + (expired ? -60 : expires_in) * 1_000).toISOString();
  const account = {
    tenant_id: "tenant-1",
    environment_integration_id: installed.id,
    authentication_method: "oauth2",
    context: { beacon: "north-pier", oauth: { token: { ...token, expires_at } } },
  };
  return ok(await environment.call("POST", "/integrated-account", account), 201);
}

/** `{id, link_token, url, expires_at}` */
export async function linkToken(environment, more = {}) {
  const who = "integrated_account_id" in more ? {} : { tenant_id: "tenant-1" };
  return ok(await environment.call("POST", "/link-token", { ...who, ...more }), 201);
}

/** The form's page, filled in and sent: the provider's authorization URL, which is not called. */
export async function toProvider(link, { visitor, values = { beacon: "North-Pier" } } = {}) {
  const page = await visitor.open(link.url);
  assert.equal(page.status, 200, page.text);
  const until = (next) => new URL(next).origin !== new URL(link.url).origin;
  const sent = await visitor.submit(page, values, { until });
  assert.ok(sent.next, `the form was not accepted: ${sent.status} ${sent.text}`);
  return sent.next;
}

/** All of it, up to where the browser ends: the company's `redirect_uri` in `next`, or our result page. */
export async function connect(environment, provider, { link, login, deny, values, visitor = new Visitor(), ...more } = {}) {
  link ??= await linkToken(environment, { integration: "lighthouse", ...more });
  const callback = await provider.authorise(await toProvider(link, { visitor, values }), { login, deny, visitor });
  return visitor.open(callback, { from: provider.url, until: leaves(link) });
}

/** Whether a redirect goes away from the gateway that made this link. */
export const leaves = (link) => (next) => new URL(next).origin !== new URL(link.url).origin;

/** What a redirect to `redirect_uri` says. */
export const resultOf = ({ next }) => Object.fromEntries(new URL(next).searchParams);

/** Connects, and reads the account as the company sees it. */
export async function connectedAccount(environment, provider, options) {
  const result = resultOf(await connect(environment, provider, { redirect_uri: "https://company.example/done?tab=1", ...options }));
  assert.equal(result.result, "success", JSON.stringify(result));
  return ok(await environment.call("GET", `/integrated-account/${result.integrated_account_id}`), 200);
}
