// Answers held to what /openapi.json says of them.
//
//   const api = await openapi(gateway);
//   const account = await api.call("getAccount", { id }, { token });   // throws when the answer is not as documented
//   api.uncalled()                                                    // the operations without a call yet

import assert from "node:assert/strict";
import Ajv2020 from "ajv/dist/2020.js";

/** The document the gateway serves, and calls by the ids of its operations. */
export async function openapi(gateway) {
  const response = await gateway.fetch("/openapi.json");
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/json");
  return new Api(gateway, await response.json());
}

class Api {
  #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  #validators = new Map();
  #called = new Set();

  constructor(gateway, document) {
    Object.assign(this, { gateway, document });
    const paths = Object.entries(document.paths);
    const operations = paths.flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => [operation.operationId, { path, method: method.toUpperCase(), ...operation }]));
    this.operations = new Map(operations);
  }

  /** The ids of the operations that were not called. */
  uncalled() {
    return [...this.operations.keys()].filter((id) => !this.#called.has(id));
  }

  /**
   * Calls an operation and checks the answer: its body, parsed where it is JSON. `words` fill the path. Options: `token`, `query`,
   * `body` (an object goes as JSON), `headers`, and `status`: one of these it must be.
   */
  async call(id, words = {}, { token, query = {}, body, headers = {}, status } = {}) {
    const { path, method } = this.operations.get(id) ?? assert.fail(`no operation ${id}`);
    const filled = path.replace(/\{(\w+)\}/g, (_, word) => encodeURIComponent(words[word] ?? assert.fail(`${id} needs ${word}`)));
    const search = new URLSearchParams(query).toString();
    const isJson = body !== undefined && typeof body !== "string";
    const response = await this.gateway.fetch(search ? `${filled}?${search}` : filled, {
      method,
      headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(isJson ? { "content-type": "application/json" } : {}), ...headers },
      body: isJson ? JSON.stringify(body) : body,
    });
    const text = await response.text();
    const checked = this.check(id, response, text);
    if (status) assert.ok([status].flat().includes(response.status), `${id}: ${response.status} ${text}`);
    return checked;
  }

  /** Throws when an answer to an operation has a status, type or shape that is not documented; its body. */
  check(id, response, text) {
    this.#called.add(id);
    const what = `${id}: ${response.status} ${text.slice(0, 500)}`;
    const documented = this.#response(this.operations.get(id), response.status) ?? assert.fail(`the status is not documented: ${what}`);
    assert.ok(response.headers.get("x-request-id"), `no x-request-id: ${what}`);
    const content = documented.content ?? {};
    const type = (response.headers.get("content-type") ?? "").split(";")[0].trim();
    if (Object.keys(content).length === 0) return text;
    const media = content[type] ?? content["*/*"] ?? assert.fail(`the type ${type} is not documented: ${what}`);
    if (type !== "application/json" || text === "") return text;
    const body = JSON.parse(text);
    if (media.schema) this.#assertFits(media.schema, body, what);
    return body;
  }

  #response({ responses }, status) {
    const found = responses[status] ?? responses[`${Math.floor(status / 100)}XX`] ?? responses.default;
    return found?.$ref ? this.document.components.responses[found.$ref.split("/").at(-1)] : found;
  }

  #assertFits(schema, body, what) {
    const key = JSON.stringify(schema);
    if (!this.#validators.has(key)) this.#validators.set(key, this.#ajv.compile({ allOf: [schema], components: this.document.components }));
    const validate = this.#validators.get(key);
    assert.ok(validate(body), `not as documented: ${what}\n${JSON.stringify(validate.errors, null, 2)}`);
  }
}
