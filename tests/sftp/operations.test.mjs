import assert from "node:assert/strict";
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { before, describe, it } from "node:test";
import { hasAsyncssh } from "./asyncssh.mjs";
import { hasOpenssh } from "./openssh.mjs";
import { scene } from "./scene.mjs";

const kindOf = ({ status, body }) => `${status} ${body.error?.kind ?? "good"}`;

for (const name of ["openssh", "asyncssh"]) {
  describe(`files over ${name}`, { skip: { openssh: !hasOpenssh, asyncssh: !hasAsyncssh }[name] }, () => {
    const here = scene();
    const file = (...parts) => path.join(here.root, ...parts);
    let [worker, account] = [];
    before(async () => {
      worker = await here.worker();
      account = (await here[name]()).account;
    });
    const ask = (operation, more, options) => worker.ask(operation, account, more, options);
    const done = (operation, more, options) => worker.done(operation, account, more, options);

    it("checks that an account can list its root", async () => {
      assert.deepEqual(await done("check"), {});
      const missing = await worker.ask("check", { ...account, root: file("missing") });
      assert.equal(kindOf(missing), "404 not_found");
    });

    it("lists all entries once, page by page", async () => {
      mkdirSync(file("many"));
      const names = Array.from({ length: 250 }, (_, index) => `file-${index}`);
      for (const one of names) writeFileSync(file("many", one), one);
      const seen = [];
      let [cursor, pages] = [null, 0];
      do {
        const page = await done("list", { path: "/many", limit: 60, cursor });
        seen.push(...page.entries);
        cursor = page.next_cursor;
        pages += 1;
      } while (cursor);
      assert.deepEqual([pages, seen.map((entry) => entry.name).sort()], [5, names.sort()]);
      assert.ok(seen.every((entry) => entry.path === `/many/${entry.name}` && entry.size === entry.name.length && entry.type === "file"));
    });

    it("goes on after a page when entries before it are removed or added", async () => {
      mkdirSync(file("moving"));
      const names = Array.from({ length: 40 }, (_, index) => `file-${index}`);
      for (const one of names) writeFileSync(file("moving", one), "");
      const first = await done("list", { path: "/moving", limit: 20 });
      rmSync(file("moving", first.entries[3].name));
      const second = await done("list", { path: "/moving", limit: 100, cursor: first.next_cursor });
      assert.deepEqual([...first.entries, ...second.entries].map((entry) => entry.name).sort(), names.sort());
      rmSync(file("moving", first.entries.at(-1).name)); // the entry of the cursor itself
      const third = await done("list", { path: "/moving", limit: 100, cursor: first.next_cursor });
      assert.ok(third.entries.length >= 18 && third.entries.length <= 20);
    });

    it("describes files, directories and links", async () => {
      writeFileSync(file("a.csv"), "12345", { mode: 0o640 });
      mkdirSync(file("folder"), { mode: 0o750 });
      symlinkSync("a.csv", file("link"));
      const { modified_at, ...entry } = await done("stat", { path: "/a.csv" });
      assert.deepEqual(entry, { name: "a.csv", path: "/a.csv", type: "file", size: 5, permissions: "rw-r-----" });
      assert.ok(Math.abs(Date.parse(modified_at) - Date.now()) < 60_000);
      assert.equal((await done("stat", { path: "/folder" })).type, "directory");
      assert.equal((await done("stat", { path: "/" })).type, "directory");
      assert.equal((await done("stat", { path: "/link" })).size, 5);
      const { entries } = await done("list", { path: "/", limit: 100 });
      assert.equal(entries.find((one) => one.name === "link").type, "symlink");
      assert.equal(kindOf(await ask("stat", { path: "/missing" })), "404 not_found");
    });

    it("reads a file and ranges of it", async () => {
      const content = here.file("content", 100_000);
      const read = async (more) => {
        const response = await worker.open("read", account, { path: "/content", ...more });
        return { size: response.headers.get("x-file-size"), length: response.headers.get("content-length"), date: response.headers.get("last-modified"), bytes: Buffer.from(await response.arrayBuffer()) };
      };
      const whole = await read({});
      assert.deepEqual([whole.size, whole.length, whole.bytes.equals(content)], ["100000", "100000", true]);
      assert.ok(Math.abs(Date.parse(whole.date) - Date.now()) < 60_000);
      const range = await read({ offset: 40_000, length: 33_000 });
      assert.deepEqual([range.size, range.length, range.bytes.equals(content.subarray(40_000, 73_000))], ["100000", "33000", true]);
      assert.ok((await read({ offset: 99_999 })).bytes.equals(content.subarray(99_999)));
      assert.deepEqual([(await read({ offset: 100_000 })).length, (await read({ offset: 200_000, length: 5 })).length], ["0", "0"]);
      writeFileSync(file("empty"), "");
      const empty = await worker.open("read", account, { path: "/empty" });
      assert.deepEqual([empty.status, await empty.text()], [200, ""]);
      assert.equal(kindOf(await ask("read", { path: "/" })), "400 bad_request");
      assert.equal(kindOf(await ask("read", { path: "/missing" })), "404 not_found");
    });

    it("writes a file under its name when it is complete, and replaces an old one", async () => {
      const { entry } = await done("write", { path: "/new.txt" }, { content: "first" });
      assert.deepEqual([entry.path, entry.size, readFileSync(file("new.txt"), "utf8")], ["/new.txt", 5, "first"]);
      await done("write", { path: "/new.txt", size: 6 }, { content: "second" });
      assert.equal(readFileSync(file("new.txt"), "utf8"), "second");
      await done("write", { path: "/nothing" }, { content: "" });
      assert.equal(lstatSync(file("nothing")).size, 0);
      assert.equal(kindOf(await ask("write", { path: "/new.txt", size: 7 }, { content: "third" })), "400 bad_request");
      assert.equal(readFileSync(file("new.txt"), "utf8"), "second");
      assert.equal(kindOf(await ask("write", { path: "/missing/a" }, { content: "a" })), "404 not_found");
      assert.deepEqual([...here.parts("new.txt"), ...here.parts("nothing")], []);
    });

    it("leaves files alone that are called as the part of an upload", async () => {
      writeFileSync(file("left.part"), "another's");
      writeFileSync(path.join(here.folder, "victim"), "untouched");
      symlinkSync(path.join(here.folder, "victim"), file("left.0123abcd.part"));
      await done("write", { path: "/left" }, { content: "whole" });
      assert.deepEqual([file("left"), file("left.part"), path.join(here.folder, "victim")].map((one) => readFileSync(one, "utf8")), ["whole", "another's", "untouched"]);
      assert.deepEqual(here.parts("left"), ["left.0123abcd.part"]);
    });

    it("writes a name of 241 bytes, whose part has 255", async () => {
      const name = "n".repeat(241);
      await done("write", { path: `/${name}` }, { content: "whole" });
      assert.equal(readFileSync(file(name), "utf8"), "whole");
      assert.notEqual((await ask("write", { path: `/${name}n` }, { content: "whole" })).status, 200);
    });

    it("makes, renames and removes", async () => {
      await done("mkdir", { path: "/made" });
      assert.ok(lstatSync(file("made")).isDirectory());
      assert.equal(kindOf(await ask("mkdir", { path: "/made" })), "409 exists");
      await done("write", { path: "/made/a" }, { content: "a" });
      assert.equal(kindOf(await ask("rmdir", { path: "/made" })), "502 failure");
      await done("rename", { from: "/made/a", to: "/moved" });
      assert.equal(readFileSync(file("moved"), "utf8"), "a");
      assert.equal(kindOf(await ask("rename", { from: "/moved", to: "/made" })), "409 exists");
      assert.equal(kindOf(await ask("rename", { from: "/missing", to: "/other" })), "404 not_found");
      await done("rmdir", { path: "/made" });
      await done("delete", { path: "/moved" });
      assert.deepEqual([existsSync(file("made")), existsSync(file("moved"))], [false, false]);
      const gone = await ask("delete", { path: "/moved" });
      assert.deepEqual([kindOf(gone), gone.body.error.sftp_status, typeof gone.body.error.server_message], ["404 not_found", 2, "string"]);
    });

    it("refuses each path out of the root, by symbolic links too", async () => {
      const outside = path.join(here.folder, "outside");
      mkdirSync(outside);
      mkdirSync(`${here.root}-2`);
      writeFileSync(path.join(outside, "secret"), "secret");
      symlinkSync(outside, file("away"));
      symlinkSync(path.join(outside, "secret"), file("away-file"));
      symlinkSync(`${here.root}-2`, file("sibling"));
      symlinkSync(outside, file("doomed"));
      const tries = [
        ["stat", { path: "/away" }],
        ["stat", { path: "/away/secret" }],
        ["list", { path: "/away", limit: 9 }],
        ["list", { path: "/sibling", limit: 9 }],
        ["read", { path: "/away-file" }],
        ["read", { path: "/away/secret" }],
        ["write", { path: "/away/new" }],
        ["mkdir", { path: "/away/new" }],
        ["rmdir", { path: "/away/new" }],
        ["delete", { path: "/away/secret" }],
        ["rename", { from: "/away/secret", to: "/mine" }],
        ["rename", { from: "/a.csv", to: "/away/new" }],
      ];
      for (const [operation, more] of tries) assert.equal(kindOf(await ask(operation, more, { content: operation === "write" ? "x" : "" })), "403 outside_root", `${operation} ${JSON.stringify(more)}`);
      for (const bad of ["/../outside/secret", "/a/../../outside", "outside", "//a", "/a\0b"]) assert.equal(kindOf(await ask("stat", { path: bad })), "400 bad_request", bad);
      await done("delete", { path: "/doomed" }); // the link itself
      assert.deepEqual([existsSync(path.join(outside, "secret")), existsSync(path.join(outside, "new")), existsSync(file("doomed"))], [true, false, false]);
      // A file replaces a link, and what the link points to stays.
      await done("write", { path: "/away-file" }, { content: "mine" });
      assert.deepEqual([readFileSync(path.join(outside, "secret"), "utf8"), readFileSync(file("away-file"), "utf8")], ["secret", "mine"]);
    });

    it("has all that the server shows as the root, if the account names none", async () => {
      const { root, ...rest } = account;
      assert.equal((await worker.done("stat", rest, { path: root })).type, "directory");
    });

    it("refuses requests that are wrong, without repeating them", async () => {
      for (const [operation, more] of [["chmod", { path: "/" }], ["list", { path: "/", limit: 0 }], ["list", { path: "/", limit: 1, cursor: "?" }], ["delete", { path: "/" }], ["check", { timeout_ms: 0 }]]) {
        assert.equal(kindOf(await ask(operation, more)), "400 bad_request", operation);
      }
      const response = await fetch(new URL("/check", worker.url), { method: "POST", body: Buffer.from([0, 1, 0, 1, 0]) });
      assert.equal(response.status, 400);
      assert.equal((await fetch(new URL("/check", worker.url), { method: "POST", body: "{}" })).status, 400);
      assert.equal((await fetch(new URL("/check", worker.url))).status, 400);
    });
  });
}
