// The provider's half of a webhook scheme: signs the request of a case (tests/cases/webhooks) at any time, with any secret and
// for any address, by what its file says and docs/webhooks.md explains. Written with node:crypto and from the guide alone, so that
// it shares no mistake with src/webhook. Schemes with a public key get a new one.

import assert from "node:assert/strict";
import { createHash, createHmac, generateKeyPairSync, randomBytes, sign as signWith } from "node:crypto";

const BY_KEY = ["rsa", "ecdsa", "ed25519"];
const STANDARD = ["standard_webhooks", "svix", "clerk"];
const UNIT = { seconds: 1_000, milliseconds: 1, s: 1_000, ms: 1 };

/**
 * What a case's scheme is, and its `sign`:
 * - `context`: the account's, with the new public key where the scheme has one; `published`: `{url, body}` of a key to be fetched.
 * - `place`: `{kind: "header" | "query" | "body", name}` of the signature; `timeHeader`: the header of the time, if it has one.
 * - `provesBody`, `tolerance` (seconds), `isTimed` (a token's own times); `otherAlgorithms`: words that must be refused.
 * - `sign({origin, path, of, at, wrong, algorithm})`: the request `{method, path, headers, body, signature}`, its path with the query.
 *   `of` is another request than the case's own; `wrong` signs with another secret or key.
 */
export function signerOf({ story, webhook }) {
  const { format, config = {} } = schemeOf(webhook, story.request, story.context);
  const context = { ...story.context };
  const keys = keysOf(format, config, story, context);
  const scheme = { format: STANDARD.includes(format) ? "standard_webhooks" : format, config, story, context, keys, place: placeOf(config, story) };
  return {
    context,
    published: keys?.published,
    place: scheme.place,
    timeHeader: timeHeaderOf(scheme),
    provesBody: story.proves !== "sender",
    tolerance: story.tolerance,
    isTimed: story.timed === true,
    otherAlgorithms: otherAlgorithms(scheme),
    sign: (options) => signed(scheme, options),
  };
}

/** Of a list the scheme whose `when` the request fits; without one, the first whose secret the account has. */
function schemeOf({ signature_verification: schemes }, { headers, body }, context = {}) {
  const said = (place) => (place.startsWith("$header.") ? headers[place.slice("$header.".length)] : JSON.parse(body)[place.slice("$body.".length)]);
  const isMeant = ({ when = {} }) => Object.entries(when).every(([place, text]) => said(place) === text);
  const meant = [schemes].flat().filter(isMeant);
  const hasSecret = ({ config = {} }) => resolved(config.secret ?? config.token ?? "", context) !== undefined;
  return meant.find(({ when }) => when) ?? meant.find(hasSecret) ?? meant[0];
}

function signed(scheme, { origin, path, of = scheme.story.request, at = new Date(), wrong = false, algorithm }) {
  const [, query] = of.url.split("?");
  const request = { method: of.method, origin, path: query ? `${path}?${query}` : path, headers: { ...of.headers }, body: of.body };
  const time = timeOf(scheme, at);
  if (time !== undefined) putTime(scheme, request, time);
  const parameters = { scheme, request, time, at, secret: secretOf(scheme, wrong), wrong, algorithm };
  request.signature = SIGNATURES[scheme.format](parameters);
  put(scheme, request, parameters);
  return request;
}

// Where things are

/** `{kind, name}`: a header, a query parameter, or a text in the body. */
function placeOf(config, story) {
  if (story.signature) {
    const [[kind, name]] = Object.entries(story.signature);
    return { kind, name };
  }
  return { kind: "header", name: config.signature?.header ?? assert.fail("the case does not say where its signature is") };
}

/** The part of `compare_with` for the place of the case: `{prefix, part}` of `v0=$header.x-sig`. */
function comparedAt({ config, place }) {
  const places = [config.compare_with ?? []].flat().map((text) => /^([^$]*)(\$.*)$/.exec(text).slice(1));
  const found = places.find(([, part]) => part.toLowerCase() === `$${place.kind}.${place.name}`.toLowerCase()) ?? places[0];
  return found && { prefix: found[0], part: found[1] };
}

function put(scheme, request, parameters) {
  const { config, place, story } = scheme;
  const { signature } = request;
  if (config.signature) return void (request.headers[place.name] = inList(config, signature, story.request.headers[place.name], parameters));
  const { prefix, part } = comparedAt(scheme) ?? { prefix: "", part: `$${place.kind}.${place.name}` };
  if (part.startsWith("$header.")) request.headers[part.slice("$header.".length)] = prefix + signature;
  else if (part === "$body") request.body = signature;
  else if (part.startsWith("$query.")) request.path = withQuery(request.path, part.slice("$query.".length), signature);
  else request.body = withField(request.body, part.slice("$body.".length), signature);
}

/** `t=…,v1=…`, with as many `v1` as the case has: the others are a secret's that we do not have. */
function inList({ signature: { separator = ",", key, prefix = "" }, timestamp }, signature, asItWas, { time }) {
  const item = (text) => (key ? `${key}=${prefix}${text}` : prefix + text);
  const others = asItWas.split(separator).filter((text) => text.trim().startsWith(item(""))).slice(1);
  const stamp = timestamp?.from.startsWith("$signature.") ? [`${timestamp.from.slice("$signature.".length)}=${time}`] : [];
  return [...stamp, ...others.map(() => item("0".repeat(signature.length))), item(signature)].join(separator);
}

function withQuery(path, name, value) {
  const url = new URL(path, "http://x");
  url.searchParams.set(name, value);
  return url.pathname + url.search;
}

/** A JSON body with another text at a path; `*` is every element. */
function withField(body, path, text) {
  const value = JSON.parse(body);
  const set = (at, [key, ...rest]) => {
    for (const own of key === "*" ? Object.keys(at) : [key]) {
      if (rest.length > 0) set(at[own], rest);
      else at[own] = typeof at[own] === "number" ? Number(text) : text;
    }
  };
  set(value, path.split("."));
  return JSON.stringify(value, null, body.includes("\n") ? 2 : undefined);
}

// Time

function timeOf({ format, config }, at) {
  if (format === "standard_webhooks") return String(Math.floor(at / 1_000));
  const { unit = "s" } = config.timestamp ?? {};
  if (!config.timestamp) return undefined;
  return unit.startsWith("iso") ? at.toISOString().replace(/\.\d+/, "") : String(Math.floor(at / (UNIT[unit] ?? assert.fail(unit))));
}

function putTime({ format, config }, request, time) {
  if (format === "standard_webhooks") return void (request.headers[`${familyOf(request)}-timestamp`] = time);
  const { from } = config.timestamp;
  if (from.startsWith("$header.")) request.headers[from.slice("$header.".length)] = time;
  else if (from.startsWith("$body.")) request.body = withField(request.body, from.slice("$body.".length), time);
  else assert.ok(from.startsWith("$signature."), from);
}

function timeHeaderOf({ format, config, story }) {
  if (format === "standard_webhooks") return `${familyOf(story.request)}-timestamp`;
  return config.timestamp?.from.startsWith("$header.") ? config.timestamp.from.slice("$header.".length) : undefined;
}

const familyOf = ({ headers }) => ("svix-id" in headers ? "svix" : "webhook");

// Secrets and keys

/** The first of a template's names that the context has. */
function resolved(template, context) {
  const names = /^\{\{([^}]*)\}\}$/.exec(template)?.[1].split("|") ?? [];
  return context[names.find((name) => name in context)];
}

/** Of two secrets the case has been signed with the previous one. */
function secretOf({ format, config, context }, wrong) {
  if (wrong) return format === "standard_webhooks" ? `whsec_${randomBytes(24).toString("base64")}` : "another-secret";
  return (config.previous_secret && resolved(config.previous_secret, context)) ?? resolved(config.secret ?? config.token ?? config.password ?? "", context);
}

function keyBytes(secret, encoding = "utf8") {
  return encoding === "base64" ? Buffer.from(secret.replace(/^whsec_/, ""), "base64") : Buffer.from(secret, encoding);
}

/** `{right, wrong, published}` for a scheme with a public key; the context learns the new one, written as the old. */
function keysOf(format, config, story, context) {
  if (!BY_KEY.includes(format) && !(format === "jwt" && !config.secret)) return undefined;
  const kind = format === "jwt" ? (config.jwks_url ? "rsa" : "ecdsa") : format;
  const right = pair(kind);
  const keys = { kind, right: right.privateKey, public: right.publicKey, wrong: pair(kind).privateKey };
  if (config.jwks_url) {
    const jwk = { ...right.publicKey.export({ format: "jwk" }), kid: headerOf(story).kid };
    return { ...keys, published: { url: story.key_url, body: JSON.stringify({ keys: [jwk] }) } };
  }
  if (config.public_key_url) return { ...keys, published: { url: story.key_url, body: pem(right.publicKey) } };
  const name = Object.keys(context).find((key) => config.public_key.includes(key));
  context[name] = writtenLike(context[name], right.publicKey);
  return keys;
}

function pair(kind) {
  if (kind === "rsa") return generateKeyPairSync("rsa", { modulusLength: 2048 });
  return kind === "ecdsa" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("ed25519");
}

const pem = (key) => key.export({ type: "spki", format: "pem" });

function writtenLike(old, key) {
  if (old.startsWith("-----")) return pem(key);
  const der = key.export({ type: "spki", format: "der" });
  return /^[0-9a-f]{64}$/.test(old) ? der.subarray(-32).toString("hex") : der.toString("base64");
}

// Content

/** What is signed, as one text. */
function contentOf({ config, format }, parameters) {
  if (format === "standard_webhooks") {
    const { headers, body } = parameters.request;
    return `${headers[`${familyOf(parameters.request)}-id`]}.${parameters.time}.${body}`;
  }
  return joined(config.parts ?? ["$body"], parameters);
}

function joined(parts, parameters) {
  return parts.map((part) => (Array.isArray(part) ? optional(part, parameters) : valueOf(part, parameters) ?? assert.fail(`nothing at ${part}`))).join("");
}

/** A list in the list is left out when something in it is missing. */
function optional(parts, parameters) {
  return parts.every((part) => valueOf(part, parameters) !== undefined) ? joined(parts, parameters) : "";
}

function valueOf(part, { request, time, secret }) {
  const url = new URL(request.path, request.origin);
  const plain = {
    $body: () => request.body,
    $url: () => request.origin + request.path,
    $url_decoded: () => (request.origin + request.path).replace(/%(3a|2f|3f|40|21|24|27|28|29|2a|2c|3b)/gi, (escape) => decodeURIComponent(escape)),
    $method: () => request.method,
    $path: () => url.pathname,
    $query: () => url.search.slice(1),
    $timestamp: () => time,
    $secret: () => secret,
    $form_sorted: () => sortedForm(request),
    $canonical_request: () => canonical(request.method, url),
  };
  if (part in plain) return plain[part]();
  const [, kind, name] = /^\$(header|query|body)\.(.*)$/.exec(part) ?? [];
  if (kind === "header") return request.headers[name];
  if (kind === "query") return url.searchParams.get(name) ?? undefined;
  if (kind === "body") return name.split(".").reduce((value, key) => value?.[key], JSON.parse(request.body));
  return part;
}

/** Names and values in a row, by name. */
function sortedForm({ headers, body }) {
  if (!headers["content-type"]?.startsWith("application/x-www-form-urlencoded")) return "";
  return [...new URLSearchParams(body)].sort(([one], [other]) => (one < other ? -1 : 1)).flat().join("");
}

/** HTTP method, path and sorted query (Atlassian's `qsh`). */
function canonical(method, url) {
  const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const names = [...new Set(url.searchParams.keys())].sort();
  const query = names.map((name) => `${encode(name)}=${url.searchParams.getAll(name).sort().map(encode).join(",")}`);
  return [method, url.pathname.replaceAll("&", "%26"), query.join("&")].join("&");
}

// Signatures

const algorithmOf = ({ config }, parameters) => parameters.algorithm ?? config.algorithm ?? "sha256";
const writtenAs = (bytes, type, byDefault) => bytes.toString(type ?? byDefault);

const SIGNATURES = {
  hmac({ scheme, ...parameters }) {
    const mac = createHmac(algorithmOf(scheme, parameters), keyBytes(parameters.secret, scheme.config.secret_encoding));
    return writtenAs(mac.update(contentOf(scheme, parameters)).digest(), scheme.config.string_type, "hex");
  },
  hash({ scheme, ...parameters }) {
    const hash = createHash(algorithmOf(scheme, parameters)).update(contentOf(scheme, parameters));
    return writtenAs(hash.digest(), scheme.config.string_type, "hex");
  },
  standard_webhooks({ scheme, ...parameters }) {
    const mac = createHmac(parameters.algorithm ?? "sha256", keyBytes(parameters.secret, "base64")).update(contentOf(scheme, parameters));
    return `v1,${mac.digest("base64")}`;
  },
  rsa: (parameters) => byKey(parameters, "base64"),
  ecdsa: (parameters) => byKey(parameters, "base64"),
  ed25519: (parameters) => byKey(parameters, "hex"),
  basic({ scheme: { config, context }, secret }) {
    return `Basic ${Buffer.from(`${resolved(config.username, context)}:${secret}`).toString("base64")}`;
  },
  bearer: ({ scheme, secret }) => (scheme.config.compare_with ? secret : `Bearer ${secret}`),
  jwt: token,
};

function byKey({ scheme, ...parameters }, byDefault) {
  const content = Buffer.from(contentOf(scheme, parameters));
  const { keys, config } = scheme;
  if (parameters.algorithm === "hmac by the public key") return createHmac("sha512", keys.public.export({ format: "der", type: "spki" }).subarray(-32)).update(content).digest(config.string_type ?? byDefault);
  const key = parameters.wrong ? keys.wrong : keys.right;
  return writtenAs(signWith(keys.kind === "ed25519" ? null : algorithmOf(scheme, parameters), content, key), config.string_type, byDefault);
}

// Tokens

const base64url = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const unpacked = (text) => JSON.parse(Buffer.from(text, "base64url"));

/** The token of a case, without the text in front of it: header and claims. */
function tokenOf({ request, signature }) {
  const text = signature.header ? request.headers[signature.header].split(" ").at(-1) : request.body;
  return text.split(".").slice(0, 2).map(unpacked);
}
const headerOf = (story) => tokenOf(story)[0];

/** The token of the case with times and hash of this request. */
function token({ scheme, ...parameters }) {
  const { story, config, keys } = scheme;
  const [header, claims] = tokenOf(story);
  const iat = Math.floor(parameters.at / 1_000);
  const times = "exp" in claims ? { iat, exp: iat + claims.exp - claims.iat } : { iat };
  const alg = parameters.algorithm ?? header.alg;
  const content = `${base64url({ ...header, alg })}.${base64url({ ...claims, ...times, ...hashClaim(config, parameters) })}`;
  const text = `${content}.${tokenSignature(alg, content, { keys, ...parameters })}`;
  const word = story.signature.header && /^(\S+) /.exec(story.request.headers[story.signature.header])?.[1];
  return word ? `${word} ${text}` : text;
}

function hashClaim({ claim_hash }, parameters) {
  if (!claim_hash) return {};
  const { claim, parts = ["$body"], algorithm = "sha256", string_type = "hex" } = claim_hash;
  return { [claim]: createHash(algorithm).update(joined(parts, parameters)).digest(string_type) };
}

function tokenSignature(alg, content, { keys, secret, wrong }) {
  const hash = `sha${alg.slice(2)}`;
  if (alg === "none") return "";
  if (alg.startsWith("HS")) return createHmac(hash, keys ? pem(keys.public) : secret).update(content).digest("base64url");
  return signWith(hash, Buffer.from(content), { key: wrong ? keys.wrong : keys.right, dsaEncoding: "ieee-p1363" }).toString("base64url");
}

/** Words for `algorithm` that a scheme must refuse. */
function otherAlgorithms({ format, config, keys }) {
  const otherHash = config.algorithm === "sha512" || config.algorithm === "sha1" ? "sha256" : "sha512";
  if (["hmac", "hash", "rsa", "ecdsa"].includes(format)) return [otherHash];
  if (format === "standard_webhooks") return ["sha512", "sha1"];
  if (format === "ed25519") return ["hmac by the public key"];
  if (format === "jwt") return ["none", keys ? "HS256" : "HS512"];
  return [];
}
