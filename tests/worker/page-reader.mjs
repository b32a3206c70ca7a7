// The steps of reading lists: an account at a provider's twin by the shipped integration file, and requests from page to page.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { importAccount, newEnvironment, ok } from "./steps.mjs";

const SHIPPED = path.join(import.meta.dirname, "../../integrations");

/** integrations/<name>.json, as it is shipped. */
export const shipped = async (name) => JSON.parse(await readFile(path.join(SHIPPED, `${name}.json`), "utf8"));

/**
 * An account at a twin: `{environment, installed, account, twin, provider}`. The shipped file is published as it is; only the
 * install's override says where the provider is, which only the admin token may.
 */
export async function accountAt(gateway, twin, { file } = {}) {
  const { provider } = twin;
  file ??= await shipped(provider.file);
  ok(await gateway.admin("PUT", `/integration/${file.name}`, file), 200, 201);
  const environment = await newEnvironment(gateway, `twin-${randomUUID()}`);
  const more = typeof provider.override === "function" ? provider.override(twin.url) : provider.override;
  const override = { base_url: provider.base(twin.url), ...more };
  const installed = ok(await gateway.admin("POST", "/environment-integration", { environment_id: environment.id, integration_name: file.name, override }), 201);
  const of = { environment, installed, twin, provider };
  return { ...of, account: await anotherAccount(of) };
}

export const anotherAccount = ({ environment, installed, provider: { credential } }) =>
  importAccount(environment, installed, credential.context, { authentication_method: credential.method });

/** The list as the caller asks for it, one page: `{status, headers, body}`. `query` and `headers` are added. */
export function page({ environment, account, provider }, { limit, cursor, query = {}, headers } = {}) {
  const { resource, method = "GET" } = provider;
  const all = { integrated_account_id: account.id, ...provider.query, ...(limit && { limit }), ...(cursor && { next_cursor: cursor }), ...query };
  const target = `/proxy/${resource}${method === "POST" ? "/list" : ""}?${new URLSearchParams(all)}`;
  return environment.call(method, target, provider.body && text(provider.body), headers);
}

// A bigint is a number that JavaScript's `number` cannot hold.
const text = (value) => JSON.stringify(value, (_, each) => (typeof each === "bigint" ? JSON.rawJSON?.(each.toString()) ?? `BIG${each}BIG` : each)).replace(/"BIG(\d+)BIG"/, "$1");

/** Reads all pages: `{records, pages}`, the pages as `{result, next_cursor, prev_cursor, result_count}`. Checks the envelope of each. */
export async function readPages(of, { limit, cursor, atMost = 5_000, headers } = {}) {
  const pages = [];
  const seen = new Set();
  do {
    const body = ok(await page(of, { limit, cursor, headers }), 200);
    assertEnvelope(body);
    pages.push(body);
    assert.ok(pages.length <= atMost, `no end after ${atMost} pages`);
    assert.ok(!seen.has(body.next_cursor), "a cursor came twice");
    cursor = body.next_cursor;
    seen.add(cursor);
  } while (cursor !== null);
  return { records: pages.flatMap(({ result }) => result), pages };
}

function assertEnvelope(body) {
  assert.ok(Array.isArray(body.result), JSON.stringify(body).slice(0, 500));
  assert.equal(body.result_count, body.result.length);
  for (const key of ["next_cursor", "prev_cursor"]) assert.ok(body[key] === null || (typeof body[key] === "string" && body[key].length > 0), `${key}: ${body[key]}`);
}

/** Every record once and in the provider's order. Says which are missing, and which came twice. */
export function assertAll(records, { twin, provider }) {
  const came = records.map(provider.idOf);
  const missing = twin.ids.filter((id) => !came.includes(id));
  const twice = came.filter((id, index) => came.indexOf(id) !== index);
  assert.deepEqual({ missing: missing.slice(0, 5), twice: twice.slice(0, 5), count: came.length }, { missing: [], twice: [], count: twin.ids.length });
  assert.deepEqual(came, twin.ids);
}

/** Every page has at most so many records, and there are as many pages as that takes at least: all in one page proves nothing. */
export function assertSized({ records, pages }, most) {
  for (const { result_count } of pages) assert.ok(result_count <= most, `${result_count} records where ${most} were asked for`);
  assert.ok(pages.length >= Math.ceil(records.length / most), `${pages.length} pages`);
}

/** `x-all-pages: true`: `{status, headers, records, error?, next_cursor?}`; the last two from a last line that says where to resume. */
export async function allPages(of, { limit, cursor, gateway }) {
  const { environment, account, provider } = of;
  const { resource, method = "GET" } = provider;
  const all = { integrated_account_id: account.id, ...provider.query, ...(limit && { limit }), ...(cursor && { next_cursor: cursor }) };
  const response = await gateway.fetch(`/proxy/${resource}${method === "POST" ? "/list" : ""}?${new URLSearchParams(all)}`, {
    method,
    headers: { authorization: `Bearer ${environment.token}`, "x-all-pages": "true", ...(provider.body && { "content-type": "application/json" }) },
    body: provider.body && text(provider.body),
  });
  const answered = await response.text();
  if (response.status !== 200) return { status: response.status, headers: response.headers, body: JSON.parse(answered) };
  assert.ok(answered === "" || answered.endsWith("\n"), "the last line is whole");
  const lines = answered.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  const isLast = (line) => line !== null && typeof line === "object" && typeof line.error === "object" && "next_cursor" in line;
  assert.equal(lines.slice(0, -1).filter(isLast).length, 0, "nothing comes after an error");
  const { error, next_cursor } = lines.length > 0 && isLast(lines.at(-1)) ? lines.pop() : {};
  return { status: 200, headers: response.headers, records: lines, error, next_cursor };
}
