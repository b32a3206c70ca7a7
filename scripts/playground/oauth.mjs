// OAuth 2.0 of the playground's provider: an authorization code with PKCE, a consent page, refresh. Codes and tokens are signed
// texts, so that nothing is stored.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";

export const CLIENT = { id: "causeway", secret: "playground-client-secret" };
const SECONDS = { code: 60, access: 3_600, refresh: 90 * 86_400 };

const escaped = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
const sha256 = (text) => createHash("sha256").update(text).digest("base64url");
const signature = (secret, text) => createHmac("sha256", secret).update(text).digest("base64url");

function signed(secret, kind, claims = {}) {
  const content = Buffer.from(JSON.stringify({ kind, ends: Date.now() / 1000 + SECONDS[kind], ...claims })).toString("base64url");
  return `pg_${content}.${signature(secret, content)}`;
}

/** The claims of a code or token of this kind, if it is ours and has not ended. */
function opened(secret, kind, text) {
  const [, content, sent] = /^pg_([\w-]+)\.([\w-]+)$/.exec(text ?? "") ?? [];
  if (!content) return undefined;
  const [expected, given] = [signature(secret, content), sent].map((value) => Buffer.from(value));
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined;
  const claims = JSON.parse(Buffer.from(content, "base64url"));
  return claims.kind === kind && claims.ends > Date.now() / 1000 ? claims : undefined;
}

export const isAccessToken = (secret, token) => opened(secret, "access", token) !== undefined;

/** Why an authorization request is not shown a consent page. Only a gateway on this machine gets a code. */
function problemOf(query) {
  if (query.get("client_id") !== CLIENT.id) return "The client is unknown.";
  if (query.get("response_type") !== "code") return "response_type is not `code`.";
  if (query.get("code_challenge_method") !== "S256" || !query.get("code_challenge")) return "PKCE with S256 is required.";
  const back = URL.parse(query.get("redirect_uri") ?? "");
  return ["127.0.0.1", "localhost"].includes(back?.hostname) ? undefined : "redirect_uri is not on this machine.";
}

const KEPT = ["client_id", "response_type", "redirect_uri", "state", "scope", "code_challenge", "code_challenge_method"];

export function authorizePage(query) {
  const problem = problemOf(query);
  if (problem) return { status: 400, text: `${problem}\n` };
  const fields = KEPT.filter((name) => query.has(name)).map((name) => `<input type="hidden" name="${name}" value="${escaped(query.get(name))}">`);
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Allow access – Playground</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 26rem; margin: 4rem auto; padding: 0 1.25rem; color: #1b2733 }
button { font: inherit; padding: 0.5rem 1.25rem; margin-right: 0.5rem; border: 1px solid #0b5394; border-radius: 0.375rem; background: #fff; color: #0b5394 }
button[value=allow] { background: #0b5394; color: #fff }</style>
<main>
<h1>Playground</h1>
<p>You are signed in as <b>Ada Keeper</b>. <b>Causeway</b> asks to read and change your contacts and orders.</p>
<form method="post" action="/oauth/authorize">${fields.join("")}
<button name="answer" value="allow">Allow</button><button name="answer" value="deny">Deny</button></form>
</main>
</html>`;
  return { status: 200, html, headers: { "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'" } };
}

/** Sends the customer back with a code, or with what they said instead. */
export function decide(secret, form) {
  const problem = problemOf(form);
  if (problem) return { status: 400, text: `${problem}\n` };
  const back = new URL(form.get("redirect_uri"));
  if (form.has("state")) back.searchParams.set("state", form.get("state"));
  if (form.get("answer") === "allow") back.searchParams.set("code", signed(secret, "code", { back: form.get("redirect_uri"), challenge: form.get("code_challenge") }));
  else back.searchParams.set("error", "access_denied");
  return { status: 303, headers: { location: back.href } };
}

export function exchange(secret, form, authorization) {
  const basic = `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString("base64")}`;
  if (authorization !== basic) return { status: 401, json: { error: "invalid_client" } };
  const isGood = form.get("grant_type") === "refresh_token" ? opened(secret, "refresh", form.get("refresh_token")) : isCode(secret, form);
  if (!isGood) return { status: 400, json: { error: "invalid_grant" } };
  const tokens = { access_token: signed(secret, "access"), refresh_token: signed(secret, "refresh") };
  return { status: 200, json: { ...tokens, token_type: "Bearer", expires_in: SECONDS.access } };
}

function isCode(secret, form) {
  const code = form.get("grant_type") === "authorization_code" && opened(secret, "code", form.get("code"));
  return code && code.back === form.get("redirect_uri") && code.challenge === sha256(form.get("code_verifier") ?? "");
}
