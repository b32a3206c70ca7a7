// A browser without JavaScript: plain fetch, a cookie jar and the forms of a page.
//
//   const visitor = new Visitor();
//   let page = await visitor.open(url);               // follows redirects
//   page = await visitor.submit(page, { login: "keeper" });
//
// A link that asks "Is this you?" is answered yes, unless `asked: true`.
// `until: (url) => boolean` stops in front of a redirect there: the page then has it as `next`.
// The jar keeps the rules that matter here: Secure, `__Host-`, Path, expiry, and SameSite with the host name as the site.

import assert from "node:assert/strict";

const MOST_REDIRECTS = 10;

export class Visitor {
  cookies = [];

  /** A link that was typed or, with `from`, followed on that page. */
  async open(url, { from, asked = false, ...options } = {}) {
    const page = await this.#follow({ method: "GET", url: new URL(url, from), from }, options);
    const yes = page.links.find((link) => new URL(link).searchParams.has("confirmed"));
    const isQuestion = page.text.includes("Is this you?") && yes !== undefined;
    return isQuestion && !asked ? this.#follow({ method: "GET", url: new URL(yes), from: page.url }, options) : page;
  }

  /**
   * Sends a form as a browser would: hidden inputs and defaults unchanged, `values` typed in, the first button pressed.
   * A value for an input that is not on the page is a mistake of the test; `forged` adds what no browser would send.
   */
  submit(page, values = {}, { form = page.form, forged = {}, ...options } = {}) {
    assert.ok(form, `no form on ${page.url} (${page.status}): ${page.text}`);
    for (const name of Object.keys(values)) assert.ok(form.fields.some((field) => field.name === name), `no input ${name} on ${page.url}: ${page.text}`);
    const sent = new URLSearchParams({ ...form.defaults, ...values, ...forged });
    const url = new URL(form.action ?? page.url, page.url);
    if (form.method === "GET") {
      url.search = sent;
      return this.#follow({ method: "GET", url, from: page.url }, options);
    }
    return this.#follow({ method: "POST", url, from: page.url, body: sent }, options);
  }

  async #follow(request, { until = () => false, headers } = {}) {
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const response = await fetch(request.url, {
        method: request.method,
        body: request.body,
        redirect: "manual",
        headers: { accept: "text/html", ...this.#sentWith(request), ...headers },
      });
      for (const line of response.headers.getSetCookie()) this.#keep(line, request.url);
      const page = await readPage(request, response);
      if (!page.next || until(page.next)) return page;
      const keepsMethod = response.status === 307 || response.status === 308;
      request = { ...(keepsMethod ? request : { method: "GET" }), url: new URL(page.next), from: request.from };
    }
    throw new Error(`more than ${MOST_REDIRECTS} redirects, the last to ${request.url}`);
  }

  #sentWith({ method, url, from }) {
    const isForeign = from !== undefined && new URL(from).hostname !== url.hostname;
    const goesAlong = (cookie) => cookie.sameSite === "none" || !isForeign || (cookie.sameSite === "lax" && method === "GET");
    this.cookies = this.cookies.filter(({ expires }) => expires > Date.now());
    const sent = this.cookies.filter((cookie) => cookie.host === url.hostname && url.pathname.startsWith(cookie.path) && goesAlong(cookie));
    return {
      ...(sent.length > 0 && { cookie: sent.map(({ name, value }) => `${name}=${value}`).join("; ") }),
      ...(method === "POST" && { origin: new URL(from).origin }),
    };
  }

  #keep(line, url) {
    const cookie = readCookie(line, url);
    const isTrusted = url.protocol === "https:" || ["localhost", "127.0.0.1"].includes(url.hostname);
    if (cookie.secure && !isTrusted) return;
    if (cookie.name.startsWith("__Host-") && !(cookie.secure && cookie.path === "/" && cookie.domain === undefined)) return;
    if (cookie.sameSite === "none" && !cookie.secure) return;
    this.cookies = this.cookies.filter(({ name, host, path }) => name !== cookie.name || host !== cookie.host || path !== cookie.path);
    this.cookies.push(cookie);
  }
}

function readCookie(line, url) {
  const [pair, ...rest] = line.split(/; */);
  const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
  const attributes = Object.fromEntries(rest.map((part) => part.split("=")).map(([key, text = ""]) => [key.toLowerCase(), text]));
  const expires = "max-age" in attributes ? Date.now() + attributes["max-age"] * 1000 : "expires" in attributes ? Date.parse(attributes.expires) : Infinity;
  return {
    name,
    value,
    expires,
    host: url.hostname,
    domain: attributes.domain,
    path: attributes.path?.startsWith("/") ? attributes.path : url.pathname.replace(/\/[^/]*$/, "") || "/",
    secure: "secure" in attributes,
    httpOnly: "httponly" in attributes,
    sameSite: (attributes.samesite ?? "lax").toLowerCase(),
  };
}

async function readPage(request, response) {
  const html = await response.text();
  const location = response.headers.get("location");
  const forms = [...html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)].map(([, tag, inside]) => readForm(attributesOf(tag), inside));
  return {
    url: request.url.href,
    status: response.status,
    headers: response.headers,
    next: location && new URL(location, request.url).href,
    html,
    text: unescape(html.replace(/<(script|style)\b.*?<\/\1>/gis, "").replace(/<[^>]*>/g, " ")).replace(/\s+/g, " ").trim(),
    links: [...html.matchAll(/<a\b([^>]*)>/gi)].map(([, tag]) => attributesOf(tag).href).filter(Boolean).map((href) => new URL(href, request.url).href),
    forms,
    form: forms.find(({ method }) => method === "POST") ?? forms[0],
  };
}

/** `fields` are the tags with their attributes; `defaults` what is sent when nothing is typed. */
function readForm({ action, method = "get" }, inside) {
  const fields = [...inside.matchAll(/<(input|select|textarea|button)\b([^>]*)>(?:(.*?)<\/\1>)?/gis)]
    .map(([, tag, attributes, content = ""]) => ({ tag: tag.toLowerCase(), content, ...attributesOf(attributes) }))
    .filter(({ name }) => name !== undefined);
  const isButton = ({ tag, type }) => tag === "button" || type === "submit";
  const pressed = fields.find(isButton);
  const sent = fields.filter((field) => !("disabled" in field) && (isButton(field) ? field === pressed : !["checkbox", "radio"].includes(field.type) || "checked" in field));
  return { action: action || undefined, method: method.toUpperCase(), fields, defaults: Object.fromEntries(sent.map((field) => [field.name, defaultOf(field)])) };
}

function defaultOf({ tag, type, value, content }) {
  if (tag === "textarea") return unescape(content);
  if (tag === "select") {
    const options = [...content.matchAll(/<option\b([^>]*)>([^<]*)/gi)].map(([, attributes, label]) => ({ value: label.trim(), ...attributesOf(attributes) }));
    return (options.find((option) => "selected" in option) ?? options[0])?.value ?? "";
  }
  return value ?? (type === "checkbox" || type === "radio" ? "on" : "");
}

function attributesOf(tag) {
  const found = tag.matchAll(/([^\s"'=<>/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g);
  return Object.fromEntries([...found].map(([, name, double, single, bare]) => [name.toLowerCase(), unescape(double ?? single ?? bare ?? "")]));
}

const NAMED = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };
const unescape = (text) =>
  text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) =>
    name ? (NAMED[name] ?? whole) : String.fromCodePoint(hex ? parseInt(hex, 16) : Number(decimal)),
  );
