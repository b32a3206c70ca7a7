// An invented provider with a secret in every place that an integration file, an install and an account can have one, and the planted
// secrets themselves. What the gateway sends it is in `sent`; what it delivers to the company is searched as it comes.

import { createHmac, randomBytes } from "node:crypto";
import path from "node:path";
import { look, plant } from "./canaries.mjs";
import { bytesOf, storedFiles } from "./storage.mjs";

export const COMPANY = "https://hooks.company.example/in";
/** What must not be stored, logged or delivered, but is the caller's own: the provider's document, a request that it sent. */
export const ITS_OWN = { not: ["stored", "logged", "delivered"] };

const NOT_OF_THE_PROVIDER = { not: ["stored", "logged", "answered", "delivered"] };

/** A new secret, planted; the provider itself may get it. Its text has what encodings change. */
export const secret = (name, options = NOT_OF_THE_PROVIDER) => plant(name, `${name.replaceAll(" ", "-")}/${randomBytes(9).toString("base64url")}+"&"=?`, options);

/** The names of secrets in a context (src/config/secrets.rs), and a field that only the file calls so. */
export const KEYS = ["api_key", "api_token", "token", "password", "secret", "client_secret", "access_token", "refresh_token", "private_key", "jwt", "webhook_secret", "previous_webhook_secret", "pin"];

export const contextOfSecrets = (whose) => ({
  ...Object.fromEntries(KEYS.map((key) => [key, secret(`${key} of ${whose}`)])),
  place: "in the open",
  deep: { list: [{ password: secret(`nested password of ${whose}`) }] },
});

export function plantedFile(name, { signing = "{{webhook_secret}}", change = () => {} } = {}) {
  const passwords = KEYS.map((key) => ({ name: key, label: key, type: "password" }));
  const file = {
    name,
    config: {
      label: "Planted",
      base_url: "https://api.planted.example",
      headers: { "x-pin": "{{pin:undefined}}", "x-variable": "{{environment_variables.app_key:undefined}}" },
      credentials: {
        api_key: { format: "api_key", config: { fields: [{ name: "place", label: "Place", type: "text" }, ...passwords] } },
        oauth2: {
          format: "oauth2",
          config: {
            client: { id: "the-client", secret: secret(`client secret of ${name}`) },
            auth: { tokenHost: "https://login.planted.example", authorizePath: "/authorize", tokenPath: "/token" },
            options: { authorizationMethod: "body" },
            fields: [],
          },
        },
        custom_token: {
          format: "custom_token",
          config: {
            fields: [{ name: "place", label: "Place", type: "text" }, ...passwords.filter(({ name }) => name !== "jwt")],
            jwt: { algorithm: "HS256", key: "{{private_key}}", key_format: "utf8", claims: { sub: "{{place}}" } },
            steps: [{ type: "request", config: { method: "post", path: "/session", headers: { "x-signed": "{{jwt}}" }, body: { password: "{{password}}", before: "{{oauth.token.refresh_token:undefined}}" } } }],
            token: { access_token: "session", refresh_token: "$headers.\"x-again\"" },
          },
        },
        jwt: {
          format: "jwt",
          config: { fields: passwords.filter(({ name }) => name !== "jwt"), jwt: { algorithm: "HS512", key: "{{secret}}", key_format: "utf8" } },
        },
      },
      authorization: { format: "bearer", config: { token: "{{oauth.token.access_token|api_key}}" } },
      resources: { orders: { list: { path: "/orders" }, get: { path: "/orders/{{id}}" }, create: { method: "post", path: "/orders" } } },
      actions: { tell: { steps: [{ type: "request", config: { path: "/repeats" } }, { type: "transform", config: "$previous" }] } },
      webhook: {
        signature_verification: { format: "hmac", config: { secret: signing, compare_with: "$header.x-signature" } },
        handle_verification: "$exists(body.hand_over) ? { 'type': 'verify', 'verification_response': 'thanks', 'update_context': { 'webhook_secret': body.hand_over } }",
        allow_unsigned_handshake: true,
        payload_transform: "{ 'event_type': 'planted:' & $uppercase(body.kind), 'payload': body }",
      },
    },
  };
  change(file.config);
  return file;
}

/** Signs a webhook as the provider does: `{headers, body}`. */
export function signedRequest(key, event) {
  const body = JSON.stringify(event);
  return { body, headers: { "content-type": "application/json", "x-signature": createHmac("sha256", key).update(body).digest("hex") } };
}

/** The provider and the company's endpoint. `answers` is `{path: (request) => Response-like}` over the usual ones. */
export class Outside {
  sent = [];
  tokens = [];
  constructor(answers = {}) {
    this.answers = answers;
    this.answer = this.answer.bind(this);
  }

  async answer(request) {
    const { method, url } = request;
    const body = method === "GET" ? "" : await request.text();
    const entry = { method, url, headers: Object.fromEntries(request.headers), body };
    this.sent.push(entry);
    if (url.startsWith(COMPANY)) {
      look("delivered", Buffer.from(JSON.stringify([url, entry.headers]) + body), `a delivery to ${url}`);
      return Response.json({ thanks: true });
    }
    const { pathname } = new URL(url);
    const usual = { "/token": () => this.#token(), "/session": () => this.#session(entry) };
    return (this.answers[pathname] ?? usual[pathname])?.(entry) ?? Response.json([{ id: 1 }]);
  }

  #session({ headers }) {
    plant("a token that the gateway signed", headers["x-signed"], NOT_OF_THE_PROVIDER);
    return Response.json({ session: secret("access token of a session") }, { headers: { "x-again": plant("the next session", `again/${randomBytes(9).toString("base64url")}+`, NOT_OF_THE_PROVIDER) } });
  }

  #token() {
    const n = this.tokens.length;
    const token = { access_token: secret(`access token ${n}`), refresh_token: secret(`refresh token ${n}`), id_token: secret(`id token ${n}`) };
    this.tokens.push(token);
    return Response.json({ ...token, token_type: "Bearer", expires_in: 3_600 });
  }

  last = (holds) => this.sent.findLast(holds);
}

/** What is stored now, to be searched for what is known only later. */
export async function snapshot(gateway) {
  const files = await Promise.all((await storedFiles(gateway.folder)).map(async (file) => [path.basename(file), await bytesOf(file)]));
  return () => files.forEach(([file, bytes]) => look("stored", bytes, `${file}, a while ago`));
}
