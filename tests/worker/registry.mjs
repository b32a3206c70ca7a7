// A real product to call: verdaccio, a package registry, on a free loopback port, offline, with one user.
//
//   const registry = await startRegistry();        // { url, username, password, token, publish, received, stop }
//   await registry.publish("left-pad-ish", "1.0.0", { "index.js": "module.exports = 1" });

import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { runServer } from "verdaccio";

export async function startRegistry() {
  const folder = await mkdtemp(path.join(tmpdir(), "causeway-registry-"));
  const received = [];
  const server = await runServer(configuration(folder));
  server.prependListener("request", ({ method, url, headers }) => received.push({ method, url, headers }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const url = `http://127.0.0.1:${server.address().port}`;
  const user = { username: "ferry", password: randomBytes(12).toString("hex") };
  const token = await addUser(url, user);
  return {
    url,
    ...user,
    token,
    /** Every request that reached the registry: `{method, url, headers}`. Clear it with `received.length = 0`. */
    received,
    publish: (name, version, files) => publish({ url, token, name, version, files }),
    async stop() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What `npm publish` sends, so that a test can send it through Causeway; with the tarball's own bytes. */
export function publication({ url, name, version, files }) {
  const manifest = { name, version, description: `A package of the tests: ${name}` };
  const tarball = pack({ "package.json": JSON.stringify(manifest), ...files });
  const filename = `${name}-${version}.tgz`;
  const dist = {
    integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
    shasum: createHash("sha1").update(tarball).digest("hex"),
    tarball: `${url}/${name}/-/${filename}`,
  };
  const attachment = { content_type: "application/octet-stream", data: tarball.toString("base64"), length: tarball.length };
  const document = {
    _id: name,
    name,
    description: manifest.description,
    "dist-tags": { latest: version },
    versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
    access: null,
    _attachments: { [filename]: attachment },
  };
  return { document, tarball, filename };
}

async function publish({ url, token, name, version, files }) {
  const made = publication({ url, name, version, files });
  const response = await fetch(`${url}/${name}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(made.document),
  });
  if (!response.ok) throw new Error(`verdaccio refused ${name}@${version}: ${response.status} ${await response.text()}`);
  return made;
}

async function addUser(url, { username, password }) {
  const response = await fetch(`${url}/-/user/org.couchdb.user:${username}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: username, password, type: "user" }),
  });
  const { token } = await response.json();
  if (!token) throw new Error(`verdaccio gave no token: ${response.status}`);
  return token;
}

const configuration = (folder) => ({
  configPath: path.join(folder, "config.yaml"), // relative paths start here; no such file is needed
  storage: path.join(folder, "storage"),
  auth: { htpasswd: { file: path.join(folder, "htpasswd") } },
  uplinks: {},
  packages: { "**": { access: "$authenticated", publish: "$authenticated" } },
  web: { enable: false },
  log: { type: "stdout", level: "fatal" },
  userRateLimit: { windowMs: 1000, max: 10_000 },
});

// A gzipped tar (ustar) of a few small files under package/, as npm packs them.
function pack(files) {
  const entries = Object.entries(files).map(([name, content]) => tarEntry(`package/${name}`, Buffer.from(content)));
  return gzipSync(Buffer.concat([...entries, Buffer.alloc(1024)]));
}

function tarEntry(name, content) {
  const header = Buffer.alloc(512);
  const octal = (value, width) => value.toString(8).padStart(width - 1, "0");
  header.write(name, 0);
  header.write(octal(0o644, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(content.length, 12), 124);
  header.write(octal(0, 12), 136);
  header.write("        ", 148); // the checksum counts itself as spaces
  header.write("0", 156);
  header.write("ustar\0" + "00", 257);
  header.write(`${octal(header.reduce((sum, byte) => sum + byte, 0), 7)}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}
