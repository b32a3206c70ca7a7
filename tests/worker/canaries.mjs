// The search for secrets where none may be: in what the gateway answers, logs, stores and sends elsewhere.
//
//   plant("client secret", value);                       // from here on it must be found nowhere …
//   plant("access token", value, { not: ["stored", "logged"] });   // … or not in these places
//   const found = search();                              // [{name, form, place}]
//
// The registry is one for the whole process, which is one test file. The harness feeds it: every byte that a client of this
// process reads from a gateway, every console line, every request that reaches a server of this process, and at `stop` the whole
// storage folder. A browser is a separate process: what it reads is not seen here.

import { subscribe } from "node:diagnostics_channel";
import path from "node:path";
import { bytesOf, storedFiles } from "./storage.mjs";

/** The word in every secret that the harness makes. One in the operator's secrets, which never leave the gateway at all. */
export const CLIENT_MARK = "cAnArYkLmQ7";
export const OPERATOR_MARK = "oPeRaToRzXw9";

const PLACES = ["answered", "logged", "stored", "sent", "delivered"];
/** Bytes of one answer that are searched: behind them comes what providers stream. */
const SEARCHED = 4 * 1_048_576;

/** Every `{name, form, bytes}` that must not be in a place. */
const forbidden = Object.fromEntries(PLACES.map((place) => [place, []]));
const found = new Map();

/**
 * The encodings that give a text away: `{form: bytes}`. Base64 has three, as the text starts at a multiple of three bytes, or one or
 * two behind it; what the neighbours decide is cut off.
 */
export function forms(value) {
  const bytes = Buffer.from(value);
  const text = bytes.toString();
  const all = { plain: bytes, "hex": bytes.toString("hex"), "HEX": bytes.toString("hex").toUpperCase() };
  for (const ahead of [0, 1, 2]) {
    const whole = Buffer.concat([Buffer.alloc(ahead), bytes]);
    const inside = (encoded) => encoded.slice(Math.ceil((ahead * 8) / 6), Math.floor((whole.length * 8) / 6));
    all[`base64 (${ahead})`] = inside(whole.toString("base64"));
    all[`base64url (${ahead})`] = inside(whole.toString("base64url"));
  }
  all["percent"] = encodeURIComponent(text);
  all["form"] = new URLSearchParams({ "": text }).toString().slice(1);
  all["percent, all"] = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  all["PERCENT, all"] = all["percent, all"].toUpperCase();
  all["JSON"] = JSON.stringify(text).slice(1, -1);
  all["JSON twice"] = JSON.stringify(JSON.stringify(text)).slice(3, -3);
  all["JSON, all"] = [...text].map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
  all["HTML"] = text.replace(/[&<>"]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[character]);
  all["UTF-16 LE"] = Buffer.from(text, "utf16le");
  all["UTF-16 BE"] = Buffer.from(text, "utf16le").swap16();
  const different = new Map(Object.entries(all).map(([form, encoded]) => [Buffer.from(encoded).toString("latin1"), form]).reverse());
  return Object.fromEntries([...different].map(([encoded, form]) => [form, Buffer.from(encoded, "latin1")]));
}

/** From here on this text, in any form, must not be in these places. Returns it. */
export function plant(name, value, { not = PLACES } = {}) {
  const own = Object.entries(forms(value)).map(([form, bytes]) => ({ name, form, bytes }));
  for (const place of not) forbidden[place].push(...own);
  return value;
}

/** Looks for it no more. */
export function unplant(name) {
  for (const place of PLACES) forbidden[place] = forbidden[place].filter((one) => one.name !== name);
}

/** What was found so far. */
export const search = () => [...found.values()];

/** Forgets what was found; for the tests of this search itself. */
export function forget() {
  const all = search();
  found.clear();
  return all;
}

/** Notes each planted text in these bytes. */
export function look(place, bytes, where) {
  for (const { name, form, bytes: wanted } of forbidden[place]) {
    const at = bytes.indexOf(wanted);
    if (at < 0) continue;
    const around = bytes.subarray(Math.max(0, at - 200), at + wanted.length + 40).toString("latin1");
    const key = `${place} ${name} ${form} ${where}`;
    if (!found.has(key)) found.set(key, { name, form, place, where, around });
  }
}

/** Searches every file of a storage folder, written-ahead pages included. */
export async function lookInStorage(folder) {
  for (const file of await storedFiles(folder)) look("stored", await bytesOf(file), path.relative(folder, file));
}

/** Throws when something was found. */
export function assertNothingFound() {
  const all = search();
  if (all.length === 0) return;
  const lines = all.map(({ name, form, place, where, around }) => `- ${name}, ${form}, ${place}: ${where}\n    ${JSON.stringify(around)}`);
  throw new Error(`Secrets where none may be:\n${lines.join("\n")}`);
}

// What this process reads from a gateway, by any client: the bytes as they come over the wire, head and body.

const gateways = new Set();

/** From here on answers from this port are searched. */
export const watchAnswers = (url) => gateways.add(Number(url.port));

subscribe("net.client.socket", ({ socket }) => {
  const push = socket.push;
  let searched = 0;
  let written = 0;
  let last = Buffer.alloc(0);
  socket.push = function (chunk, ...rest) {
    if (chunk && gateways.has(this.remotePort)) {
      // A new request: another answer.
      if (this.bytesWritten !== written) [written, searched, last] = [this.bytesWritten, 0, Buffer.alloc(0)];
      if (searched < SEARCHED) look("answered", Buffer.concat([last, chunk]), `an answer of ${this.remotePort}`);
      searched += chunk.length;
      // A text may span two pieces.
      last = Buffer.from(chunk.subarray(-512));
    }
    return push.call(this, chunk, ...rest);
  };
});

// What reaches a server of this process: providers, receivers, and Miniflare's own, through which scripted requests go.
subscribe("http.server.request.start", ({ request }) => {
  const where = `${request.method} ${request.url}`;
  look("sent", Buffer.from(`${where}\n${request.rawHeaders.join("\n")}`), where);
  const push = request.push;
  request.push = function (chunk, ...rest) {
    if (chunk) look("sent", Buffer.from(chunk), where);
    return push.call(this, chunk, ...rest);
  };
});

plant("a secret of the operator", OPERATOR_MARK);
plant("a secret of a client", CLIENT_MARK, { not: ["answered", "logged", "stored"] });
