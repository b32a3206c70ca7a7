// Bodies of every kind, both ways: what is passed on or cut is not touched, what is rewritten is what the file says.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { eachCase } from "./cases.mjs";
import { assertError, ok } from "./steps.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";

/** JSON that no reader of floating-point numbers and no writer of strict JSON would leave as it is. */
const ODD = '{"id":12345678901234567890,"n":1e400,"small":1.0,"zero":-0,"long":0.12345678901234567890,"lone":"\\ud800","twice":1,"twice":2, "spaced" : [ ] }';
const XML = '<?xml version="1.0"?><feed count="2"><ship id="1"><name>Fram &amp; Co</name></ship><ship id="2"><name>Gjøa</name></ship><note/></feed>';
const CHAMPION = new Uint8Array(70_000).map((_, n) => (n * 31) % 256);

let scripted;
before(async () => {
  const parts = { title: "{{body.title}}", tags: "{{body.tags:any}}", file: { filename: "a.txt", content_type: "text/plain", text: "{{body.title}}" } };
  const page = { format: "page", config: { page_key: "page", limit_key: "limit", max_limit: 100, total_pages_path: "pages" } };
  scripted = await startScriptedProvider({
    config: {
      query_array_format: "brackets",
      resources: {
        ships: { list: { path: "/ships", response_path: "data", pagination: page }, get: { path: "/ships/{{id}}" }, create: { method: "post", path: "/ships" }, delete: { method: "delete", path: "/ships/{{id}}" } },
        cut: { get: { path: "/ships/{{id}}", response_path: "data.0" } },
        forms: { create: { method: "post", path: "/forms", body_format: "form" }, update: { method: "post", path: "/forms/{{id}}", body_format: "form", body: "{{body:any}}" } },
        uploads: { create: { method: "post", path: "/uploads", body_format: "multipart" } },
        parts: { create: { method: "post", path: "/uploads", body_format: "multipart", body: parts } },
        documents: { create: { method: "post", path: "/documents", body_format: "xml", body: { ship: { "@id": "{{body.id}}", name: "{{body.name}}" } } }, get: { path: "/feeds/{{id}}", api_response_format: "xml" } },
        feed: { list: { path: "/feeds/1", api_response_format: "xml", response_path: "feed.ship" } },
        templated: { create: { method: "post", path: "/templated", body: { wrapped: "{{body.name}}" } } },
        raw: { create: { method: "post", path: "/raw", body_format: "raw" } },
      },
    },
  });
});
after(() => scripted?.stop());
beforeEach(() => scripted.clear());

const call = (...request) => scripted.call(...request);
const sent = () => scripted.requests.at(-1);
const octets = (type, body) => () => ({ headers: { "content-type": type }, body });

describe("JSON is not touched", () => {
  test("a list that is cut", async () => {
    scripted.answers.set("/ships", () => ({ body: `{"pages":1,"data":[${ODD},${ODD}]}` }));
    const { text, status } = await call("GET", "/proxy/ships");
    assert.equal(status, 200);
    assert.ok(text.includes(`[${ODD},${ODD}]`), text);
  });

  test("a list as JSON lines", async () => {
    scripted.answers.set("/ships", ({ query }) => ({ body: `{"pages":2,"data":[${ODD.replace('"small":1.0', `"page":${query.get("page")}`)},\n  [1,\n2], "text", null]}` }));
    const { text } = await call("GET", "/proxy/ships", undefined, { "x-all-pages": "true" });
    const lines = text.split("\n");
    assert.equal(lines.length, 9, text);
    assert.equal(lines[0], ODD.replace('"small":1.0', '"page":1'));
    assert.equal(lines[4], ODD.replace('"small":1.0', '"page":2'));
    assert.deepEqual(JSON.parse(lines[1]), [1, 2]); // a line break within a record is none of ours
    assert.deepEqual(lines.slice(2, 4), ['"text"', "null"]);
  });

  test("one record that is cut, one that is passed on, and /custom", async () => {
    scripted.answers.set("/ships/1", () => ({ body: `{"data":[${ODD}]}` }));
    assert.equal((await call("GET", "/proxy/cut/1")).text, ODD);
    await eachCase(["/proxy/ships/1", "/custom/ships/1"], async (path) => assert.equal((await call("GET", path)).text, `{"data":[${ODD}]}`));
  });

  test("what the caller sends", async () => {
    ok(await call("POST", "/proxy/ships", ODD), 200);
    assert.equal(sent().body.toString(), ODD);
  });

  test("a provider's error is shown in raw_response, with any content", async () => {
    scripted.answers.set("/ships/1", () => ({ status: 422, body: ODD }));
    assertError(await call("GET", "/proxy/ships/1"), 422, "provider.rejected");
  });
});

describe("compressed answers", () => {
  const whole = `{"pages":1,"data":[${ODD}]}`;
  for (const [encoding, body] of Object.entries({ gzip: gzipSync(whole), br: brotliCompressSync(whole) })) {
    test(encoding, async () => {
      const answer = () => ({ headers: { "content-type": "application/json", "content-encoding": encoding }, body });
      for (const path of ["/ships", "/ships/1"]) scripted.answers.set(path, answer);
      assert.ok((await call("GET", "/proxy/ships")).text.includes(ODD));
      assert.equal((await call("GET", "/proxy/cut/1")).text, ODD);
      await eachCase(["/proxy/ships/1", "/custom/ships/1"], async (path) => {
        // Readable for who accepts no encoding, as here, and for who accepts this one.
        assert.equal((await call("GET", path)).text, whole);
        assert.equal((await call("GET", path, undefined, { "accept-encoding": encoding })).text, whole);
      });
    });
  }

  test("in a coding that is not undone: an error where it must be read", async () => {
    scripted.answers.set("/ships", () => ({ headers: { "content-type": "application/json", "content-encoding": "deflate" }, body: deflateSync(whole) }));
    const answer = await call("GET", "/proxy/ships");
    if (answer.status !== 200) assertError(answer, 502, "provider.unexpected_answer");
    else assert.ok(answer.text.includes(ODD));
  });

  test("broken", async () => {
    scripted.answers.set("/ships", () => ({ headers: { "content-type": "application/json", "content-encoding": "gzip" }, body: gzipSync(whole).subarray(0, 60) }));
    const answer = await call("GET", "/proxy/ships", undefined, { "x-max-retries": "0" });
    assertError(answer, 502, "provider.");
  });
});

describe("answers without a body", () => {
  test("204 and an empty 200 stay so", async () => {
    scripted.answers.set("/ships/1", () => ({ status: 204, headers: { "x-kept": "yes" } }));
    const deleted = await call("DELETE", "/proxy/ships/1");
    assert.deepEqual([deleted.status, deleted.text, deleted.headers.get("x-kept")], [204, "", "yes"]);
    scripted.answers.set("/ships/1", () => ({ headers: { "content-type": "application/json", "content-length": "0" } }));
    await eachCase(["/proxy/ships/1", "/custom/ships/1"], async (path) => {
      const { status, text } = await call("GET", path);
      assert.deepEqual([status, text], [200, ""], path);
    });
  });

  test("a list without a body is empty", async () => {
    await eachCase([200, 204], async (status) => {
      scripted.answers.set("/ships", () => ({ status }));
      const body = ok(await call("GET", "/proxy/ships"), 200);
      assert.deepEqual([body.result, body.result_count, body.next_cursor], [[], 0, null]);
    });
  });

  test("HEAD asks by HEAD and keeps the length", async () => {
    scripted.answers.set("/ships/1", () => (response) => response.writeHead(200, { "content-type": "application/zip", "content-length": "12345" }).end());
    const { status, text, headers } = await call("HEAD", "/custom/ships/1");
    assert.deepEqual([status, text, sent().method], [200, "", "HEAD"]);
    assert.equal(headers.get("content-type"), "application/zip");
  });

  test("304 goes on, and If-None-Match went there", async () => {
    scripted.answers.set("/ships/1", () => ({ status: 304, headers: { etag: '"e"' } }));
    const { status, headers } = await call("GET", "/proxy/ships/1", undefined, { "if-none-match": '"e"' });
    assert.deepEqual([status, headers.get("etag"), sent().headers["if-none-match"]], [304, '"e"', '"e"']);
  });
});

describe("other formats", () => {
  test("form: nested and in the array format", async () => {
    ok(await call("PATCH", "/proxy/forms/1", { name: "Fram & Co", owner: { city: "Oslo" }, tags: ["a", "b,c"], none: null }), 200);
    assert.equal(sent().headers["content-type"], "application/x-www-form-urlencoded");
    assert.deepEqual([...new URLSearchParams(sent().body.toString())], [["name", "Fram & Co"], ["owner[city]", "Oslo"], ["tags[]", "a"], ["tags[]", "b,c"]]);
  });

  test("a form that the caller wrote goes on as it is", async () => {
    const form = "b=2&a=1&a=%C3%BC&empty=";
    ok(await call("POST", "/proxy/forms", form, { "content-type": "application/x-www-form-urlencoded" }), 200);
    assert.equal(sent().body.toString(), form);
  });

  test("multipart that the caller wrote goes on byte for byte, files included", async () => {
    const form = new FormData();
    form.set("title", "Rigging");
    form.set("file", new Blob([CHAMPION]), "übersicht.bin");
    const request = new Request("http://x/", { method: "POST", body: form });
    const [type, bytes] = [request.headers.get("content-type"), Buffer.from(await request.arrayBuffer())];
    await eachCase(["/proxy/uploads", "/custom/uploads"], async (path) => {
      ok(await call("POST", path, bytes, { "content-type": type }), 200);
      assert.equal(sent().headers["content-type"], type);
      assert.deepEqual(sent().body, bytes);
    });
  });

  test("multipart that the file makes", async () => {
    ok(await call("POST", "/proxy/parts", { title: "Überfahrt\r\n--x", tags: ["a", "b"] }), 200);
    const form = await new Response(sent().body, { headers: { "content-type": sent().headers["content-type"] } }).formData();
    assert.equal(form.get("title"), "Überfahrt\r\n--x");
    assert.deepEqual(form.getAll("tags[]"), ["a", "b"]);
    assert.deepEqual([form.get("file").name, await form.get("file").text()], ["a.txt", "Überfahrt\r\n--x"]);
    assert.match(form.get("file").type, /^text\/plain/);
  });

  test("xml that the file makes is escaped", async () => {
    ok(await call("POST", "/proxy/documents", { id: '1"<', name: "Fram & <Co>" }), 200);
    assert.match(sent().headers["content-type"], /xml/);
    const written = sent().body.toString();
    assert.match(written, /<name>Fram &amp; &lt;Co(>|&gt;)<\/name>/);
    assert.match(written, /id="1(&quot;|&#34;)&lt;"/);
  });

  test("xml as JSON, whole and cut", async () => {
    scripted.answers.set("/feeds/1", octets("application/xml", XML));
    const ships = [{ "@id": "1", name: "Fram & Co" }, { "@id": "2", name: "Gjøa" }];
    const { body, headers } = await call("GET", "/proxy/documents/1");
    assert.match(headers.get("content-type"), /^application\/json/);
    assert.deepEqual(body, { feed: { "@count": "2", ship: ships, note: "" } });
    assert.deepEqual(ok(await call("GET", "/proxy/feed"), 200).result, ships);
    assert.equal((await call("GET", "/custom/feeds/1")).text, XML, "/custom is not read");
  });

  test("xml that refers to other documents: an error, and nothing is fetched", async () => {
    const bomb = `<!DOCTYPE f [<!ENTITY a "${"x".repeat(1_000)}"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "${scripted.url}/stolen">]><f>&b;&c;</f>`;
    await eachCase([bomb, "<a><b></a>", "", "<a/><b/>", "no xml at all"], async (odd) => {
      scripted.answers.set("/feeds/1", octets("application/xml", odd));
      const answer = await call("GET", "/proxy/documents/1");
      if (odd !== "") assertError(answer, 502, "provider.unexpected_answer");
    });
    assert.equal(scripted.at("/stolen").length, 0);
  });

  test("raw: any bytes, either way", async () => {
    ok(await call("POST", "/proxy/raw", CHAMPION, { "content-type": "application/octet-stream" }), 200);
    assert.deepEqual(new Uint8Array(sent().body), CHAMPION);
    scripted.answers.set("/ships/1", octets("application/octet-stream", CHAMPION));
    const response = await scripted.through("GET", "/proxy/ships/1");
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), CHAMPION);
  });

  for (const name of ["truto_body_passthrough", "body_passthrough"]) {
    test(`${name}=true: the caller's body as it is, without the file's template`, async () => {
      ok(await call("POST", "/proxy/templated", { name: "Fram" }), 200);
      assert.deepEqual(JSON.parse(sent().body), { wrapped: "Fram" });
      ok(await call("POST", `/proxy/templated?${name}=true`, ODD), 200);
      assert.equal(sent().body.toString(), ODD);
      assert.ok(!sent().url.includes("passthrough"), "it is ours, and not forwarded");
    });
  }
});
