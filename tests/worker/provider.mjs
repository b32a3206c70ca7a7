// A real OAuth 2.0 provider: oidc-provider on a free loopback port, with a protected API behind its tokens.
// PKCE is required; refresh tokens rotate, and a second use of an old one revokes the whole grant.
//
//   const provider = await startProvider({ accessTokenTtl: 2 });
//   const callback = await provider.authorise(url, { login: "keeper" });     // where the browser would be sent
//   provider.answerNextTokenRequests("unavailable", { granted: 2_000 });     // faults, one for each request
//   provider.counts().refreshes;
//
// It is addressed as `localhost` and the gateway as `127.0.0.1`: two sites, as in real life, and two cookie jars.

import { generateKeyPairSync, createHash, randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Provider } from "oidc-provider";
import { createMemoryAdapter } from "oidc-provider/lib/adapters/memory_adapter.js";
import { CLIENT_MARK, plant } from "./canaries.mjs";
import { Visitor } from "./visitor.mjs";

/** Ids and secrets are not their own form-encoding (RFC 6749, section 2.3.1), so sending them raw is noticed. */
export const CLIENTS = {
  basic: client("client_secret_basic", "light house:basic+1", `tide & time/100% +sure:=?${CLIENT_MARK}`),
  post: client("client_secret_post", "light house:post+1", `ebb & flow/50% +maybe:=?${CLIENT_MARK}`),
  machine: client("client_secret_basic", "light house:machine+1", `gear & cog/10% +oil:=?${CLIENT_MARK}`, ["client_credentials"]),
};
export const SCOPES = ["offline_access", "things", "profile"];
const THINGS = ["lamp", "lens", "horn"].map((name, index) => ({ id: `thing-${index + 1}`, name }));

export async function startProvider(settings) {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const provider = new OauthProvider(server, { accessTokenTtl: 3_600, rotates: true, hides: [], ...settings });
  server.on("request", provider.oidc.callback());
  return provider;
}

class OauthProvider {
  /** Every request: `{method, path, headers, status?}`, of token requests also `{grantType, answer?}`. Clear it with `received.length = 0`. */
  received = [];
  #events = new EventEmitter();
  #faults = [];

  constructor(server, settings) {
    /** `accessTokenTtl` in seconds; `rotates` refresh tokens; keys that token answers lack in `hides`. May change at any time. */
    this.settings = settings;
    this.server = server;
    this.url = `http://localhost:${server.address().port}`;
    this.oidc = new Provider(this.url, this.#configuration());
    Object.assign(this.oidc.Client.prototype, { redirectUriAllowed: isGatewayCallback, compareClientSecret: isSecretInItsPlace });
    this.oidc.on("server_error", (_, error) => console.error("oidc-provider:", error));
    this.oidc.use((ctx, next) => this.#answer(ctx, next));
  }

  /**
   * What becomes of the next token requests, one each:
   * `"unavailable"`: 503, nothing is granted. `"silent"`: no answer ever, nothing is granted.
   * `"dropped"`: granted, and the connection breaks before the answer. `{granted: ms}`: granted, answered so much later.
   */
  answerNextTokenRequests(...faults) {
    this.#faults = faults;
  }

  /** The next token request that has `arrived`, or was `granted`; not within 10 s is an error. */
  next(event) {
    const reached = once(this.#events, event, { signal: AbortSignal.timeout(10_000) });
    reached.catch(() => {}); // handled where it is awaited
    return reached;
  }

  /** Granted exchanges, refreshes and client credentials; every token request; introspections and revocations; calls of the API. */
  counts() {
    const count = (holds) => this.received.filter(holds).length;
    const granted = (type) => count(({ path, grantType, status }) => path === "/token" && grantType === type && status === 200);
    const at = (wanted) => count(({ path }) => path === wanted);
    const api = (wanted) => count(({ path, status }) => path.startsWith("/api/") && status === wanted);
    return {
      exchanges: granted("authorization_code"),
      refreshes: granted("refresh_token"),
      clientCredentials: granted("client_credentials"),
      tokenRequests: at("/token"),
      introspections: at("/token/introspection"),
      revocations: at("/token/revocation"),
      apiAnswers: api(200),
      apiRefusals: api(401),
    };
  }

  /** Signs in, allows or denies, and returns where the browser would be sent, which is not called. */
  async authorise(url, options) {
    const page = await this.signIn(url, options);
    if (!page.next) throw new Error(`no redirect from ${page.url} (${page.status}): ${page.text}`);
    return page.next;
  }

  /** The same, but the provider's last page: a redirect (`next`), with `response_mode=form_post` a form, or an error. */
  async signIn(url, { login = "keeper", deny = false, visitor = new Visitor() } = {}) {
    const until = (next) => !next.startsWith(this.url);
    let page = await visitor.open(url, { until });
    if (page.form?.fields.some(({ name }) => name === "login")) page = await visitor.submit(page, { login }, { until });
    if (page.form?.fields.some(({ name }) => name === "answer")) page = await visitor.submit(page, { answer: deny ? "deny" : "allow" }, { until });
    return page;
  }

  /** Plays the OAuth client with plain fetch. */
  client({ client_id, client_secret, token_endpoint_auth_method } = CLIENTS.basic) {
    const encoded = (value) => new URLSearchParams({ "": value }).toString().slice(1);
    const basic = `Basic ${Buffer.from(`${encoded(client_id)}:${encoded(client_secret)}`).toString("base64")}`;
    const isPost = token_endpoint_auth_method === "client_secret_post";
    const post = (path, fields) =>
      fetch(this.url + path, {
        method: "POST",
        headers: isPost ? {} : { authorization: basic },
        body: new URLSearchParams({ ...fields, ...(isPost && { client_id, client_secret }) }),
      });
    const token = (fields) => post("/token", fields);
    const redirect_uri = "http://127.0.0.1/connect/self/callback";
    const authorizationUrl = (fields) => {
      const all = { client_id, redirect_uri, response_type: "code", scope: SCOPES.join(" "), prompt: "consent", ...fields };
      return `${this.url}/auth?${new URLSearchParams(all)}`;
    };
    const exchange = (code, code_verifier) => token({ grant_type: "authorization_code", code, code_verifier, redirect_uri });
    return {
      authorizationUrl,
      token,
      exchange,
      refresh: (refresh_token) => token({ grant_type: "refresh_token", refresh_token }),
      introspect: async (value) => (await post("/token/introspection", { token: value })).json(),
      revoke: (value) => post("/token/revocation", { token: value }),
      /** Authorises and exchanges: the token response. */
      tokens: async (login) => {
        const { verifier, challenge } = newVerifier();
        const callback = await this.authorise(authorizationUrl({ state: "s", code_challenge: challenge, code_challenge_method: "S256" }), { login });
        return (await exchange(new URL(callback).searchParams.get("code"), verifier)).json();
      },
    };
  }

  /** Ends every grant: what refresh tokens get is `invalid_grant`, what access tokens get is 401. */
  async revokeAll() {
    for (const grantId of this.#grants) {
      await Promise.all([this.oidc.AccessToken, this.oidc.RefreshToken].map((model) => model.revokeByGrantId(grantId)));
    }
  }

  /** Ends one access token; its refresh token lives on. */
  async endAccessToken(value) {
    await (await this.oidc.AccessToken.find(value)).destroy();
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  #grants = new Set();

  #configuration() {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const day = 24 * 3_600;
    const redirect = { redirect_uris: ["http://127.0.0.1/connect/self/callback"] };
    const none = { redirect_uris: [], response_types: [] };
    return {
      adapter: createMemoryAdapter(), // the default, without its warning
      clients: Object.values(CLIENTS).map((each) => ({ ...each, ...(each.grant_types.includes("authorization_code") ? redirect : none) })),
      scopes: SCOPES,
      claims: { profile: ["name"] },
      clientDefaults: { id_token_signed_response_alg: "ES256" },
      pkce: { required: () => true },
      rotateRefreshToken: () => this.settings.rotates,
      findAccount: (_, login) => ({ accountId: login, claims: () => ({ sub: login, name: `${login} of the rotating-oauth` }) }),
      interactions: { url: (_, { uid }) => `/interaction/${uid}` },
      features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: false },
        introspection: { enabled: true, allowedPolicy: (_, asking, token) => token.clientId === asking.clientId },
        resourceIndicators: { enabled: false },
        revocation: { enabled: true, allowedPolicy: (_, asking, token) => token.clientId === asking.clientId },
        rpInitiatedLogout: { enabled: false },
        userinfo: { enabled: false },
      },
      ttl: {
        AccessToken: () => this.settings.accessTokenTtl,
        ClientCredentials: () => this.settings.accessTokenTtl,
        AuthorizationCode: 60,
        Grant: day,
        IdToken: 3_600,
        Interaction: 3_600,
        RefreshToken: day,
        Session: day,
      },
      cookies: { keys: [randomBytes(16).toString("hex")] },
      jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig" }] },
      renderError: (ctx, { error, error_description }) => {
        ctx.type = "html";
        ctx.body = layout("Something is wrong", `<p>${escape(error)}: ${escape(error_description ?? "")}</p>`);
      },
    };
  }

  async #answer(ctx, next) {
    const { method, path, headers } = ctx;
    const entry = { method, path, headers };
    this.received.push(entry);
    if (path.startsWith("/api/")) await this.#api(ctx);
    else if (path.startsWith("/interaction/")) await this.#interaction(ctx);
    else if (path === "/token") return this.#token(ctx, next, entry);
    else await next();
    entry.status = ctx.status;
  }

  async #token(ctx, next, entry) {
    const fault = this.#faults.shift();
    this.#events.emit("arrived", entry);
    if (fault === "unavailable" || fault === "silent") {
      entry.grantType = new URLSearchParams(await text(ctx.req)).get("grant_type");
      if (fault === "silent") return void (ctx.respond = false);
      ctx.status = entry.status = 503;
      ctx.body = "the keeper is asleep";
      return;
    }
    await next();
    entry.grantType = ctx.oidc?.params?.grant_type;
    entry.status = ctx.status;
    if (ctx.status !== 200) return;
    this.#grants.add(ctx.oidc.entities.Grant?.jti);
    entry.answer = { ...ctx.body };
    for (const name of ["access_token", "refresh_token", "id_token"]) if (ctx.body[name]) plant(name, ctx.body[name], { not: ["answered", "logged", "stored"] });
    for (const key of this.settings.hides) delete ctx.body[key];
    this.#events.emit("granted", entry);
    if (fault === "dropped") {
      ctx.respond = false;
      ctx.req.socket.destroy();
    } else if (fault) {
      await sleep(fault.granted, undefined, { ref: false });
    }
  }

  async #api(ctx) {
    const token = await this.#bearer(ctx.get("authorization"));
    if (!token) {
      ctx.status = 401;
      ctx.set("www-authenticate", 'Bearer error="invalid_token"');
      ctx.body = { error: "invalid_token" };
      return;
    }
    const [, , resource, id] = ctx.path.split("/");
    const answers = {
      me: () => ({ login: token.accountId ?? null, client_id: token.clientId, scope: token.scope }),
      things: () => (id ? THINGS.find((thing) => thing.id === id) : { things: THINGS }),
    };
    ctx.body = answers[resource]?.() ?? { error: "not_found" };
    ctx.status = "error" in ctx.body ? 404 : 200;
  }

  async #bearer(header) {
    const value = /^Bearer (\S+)$/.exec(header)?.[1];
    if (!value) return undefined;
    const token = (await this.oidc.AccessToken.find(value)) ?? (await this.oidc.ClientCredentials.find(value));
    return token?.isValid ? token : undefined;
  }

  /** The login and consent pages: for browsers, keyboards and plain fetch alike. */
  async #interaction(ctx) {
    const { req, res } = ctx;
    const { prompt, params, session, grantId } = await this.oidc.interactionDetails(req, res);
    if (ctx.method === "GET") {
      ctx.type = "html";
      ctx.body = prompt.name === "login" ? loginPage() : consentPage(params);
      return;
    }
    const form = new URLSearchParams(await text(req));
    let result;
    if (prompt.name === "login") {
      result = { login: { accountId: form.get("login") } };
    } else if (form.get("answer") === "allow") {
      const grant = (await this.oidc.Grant.find(grantId ?? "")) ?? new this.oidc.Grant({ accountId: session.accountId, clientId: params.client_id });
      grant.addOIDCScope(params.scope);
      result = { consent: { grantId: await grant.save() } };
    } else {
      result = { error: "access_denied", error_description: "The keeper said no" };
    }
    ctx.redirect(await this.oidc.interactionResult(req, res, result, { mergeWithLastSubmission: prompt.name === "consent" }));
    ctx.status = 303;
  }
}

/** `{verifier, challenge}` of RFC 7636. */
export function newVerifier() {
  const verifier = randomBytes(32).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

function client(token_endpoint_auth_method, client_id, client_secret, grant_types = ["authorization_code", "refresh_token"]) {
  return { client_id, client_secret, token_endpoint_auth_method, grant_types };
}

// The gateway's port is new after each restart, so the port is not compared.
function isGatewayCallback(uri) {
  const { hostname, pathname } = new URL(uri);
  return ["localhost", "127.0.0.1"].includes(hostname) && /^\/connect\/[a-z0-9-]+\/callback$/.test(pathname);
}

// The library takes a secret from header and body alike, also where the client is registered for one of them.
function isSecretInItsPlace(secret) {
  const isInHeader = Provider.ctx.headers.authorization !== undefined;
  return secret === this.clientSecret && isInHeader === (this.clientAuthMethod === "client_secret_basic");
}

const escape = (value) => value.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);

const layout = (title, content) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head><body><main><h1>${title}</h1>${content}</main></body></html>`;

const loginPage = () =>
  layout("Sign in to the rotating-oauth", `<form method="post"><label>User name <input name="login" required autocomplete="username"></label> <button>Sign in</button></form>`);

const consentPage = ({ client_id, scope = "" }) =>
  layout(
    "Allow access?",
    `<p>${escape(client_id)} asks for: ${escape(scope)}</p>
<form method="post"><button name="answer" value="allow">Allow</button> <button name="answer" value="deny">Deny</button></form>`,
  );
