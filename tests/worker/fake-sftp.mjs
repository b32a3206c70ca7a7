// A Worker that answers as the SFTP Worker does (docs/sftp.md), with files in memory: the source is what the harness runs in
// workerd next to the gateway. The real one is in sftp/.
//
// `/zeros-<n>` is a file of n bytes that is made while it is read; `/breaks` breaks off in the middle.

export const HOST = "127.0.0.1";
export const USER = "ada";
export const PASSWORD = "the-password-of-the-file-server";
export const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGYPGz1VzeY0SZpPkPsRXVNMvZBGvzBfVfVfkOvGBz4h";
export const FINGERPRINT = "SHA256:fingerprintOfTheFakeServer";
export const PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtz\nc2gtZWQyNTUxOQAAACBmDxs9Vc3mNEmaT5D7EV1TTL2QRr8wX1X1X5Drxgc+IQ==\n-----END OPENSSH PRIVATE KEY-----";

const settings = { USER, PASSWORD, HOST_KEY, FINGERPRINT, PRIVATE_KEY };

export const fakeSftp = `const settings = ${JSON.stringify(settings)};
const files = new Map([["/in/a.txt", new TextEncoder().encode("0123456789")], ["/breaks", new Uint8Array(0)]]);
let requests = 0;

class Refusal {
  constructor(status, kind, more) {
    this.answer = Response.json({ error: { kind, message: "refused: " + kind, ...more } }, { status });
  }
}

/** Head and content of a request: the content is read on from where the head ends. */
async function framed(request) {
  const reader = request.body.getReader();
  let bytes = new Uint8Array(0);
  const fill = async (length) => {
    while (bytes.length < length) {
      const { done, value } = await reader.read();
      if (done) throw new Error("the request ends in its head");
      const all = new Uint8Array(bytes.length + value.length);
      all.set(bytes);
      all.set(value, bytes.length);
      bytes = all;
    }
  };
  await fill(4);
  const length = new DataView(bytes.buffer).getUint32(0);
  await fill(4 + length);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  return { head, rest: bytes.slice(4 + length), reader };
}

function logIn({ username, password, private_key, host_keys }) {
  if (!host_keys.includes(settings.HOST_KEY)) throw new Refusal(401, "host_key_mismatch", { host_key: settings.HOST_KEY, fingerprint: settings.FINGERPRINT });
  const isProved = private_key ? private_key === settings.PRIVATE_KEY + "\\n" : password === settings.PASSWORD;
  if (username !== settings.USER || !isProved) throw new Refusal(401, "wrong_credentials", { server_message: "Permission denied" });
}

const sizeOf = (path) => (/^\\/zeros-(\\d+)$/.test(path) ? Number(path.slice(7)) : files.get(path)?.length);

function entry(path) {
  const size = sizeOf(path);
  if (size === undefined) throw new Refusal(404, "not_found", { sftp_status: 2, server_message: "No such file" });
  return { name: path.split("/").pop(), path, type: "file", size, modified_at: "2026-01-02T03:04:05.000Z", permissions: "rw-r--r--" };
}

function read({ path, offset = 0, length = Infinity }) {
  const { size } = entry(path);
  const from = Math.min(offset, size);
  const count = Math.min(length, size - from);
  const headers = { "x-file-size": String(size), "last-modified": "Fri, 02 Jan 2026 03:04:05 GMT", "content-length": String(count) };
  if (path === "/breaks") {
    const { readable, writable } = new FixedLengthStream(1000);
    const writer = writable.getWriter();
    writer.write(new Uint8Array(500)).then(() => writer.abort(new Error("the server died"))).catch(() => {});
    return new Response(readable, { headers: { ...headers, "x-file-size": "1000", "content-length": "1000" } });
  }
  const { readable, writable } = new FixedLengthStream(count);
  const send = async () => {
    const writer = writable.getWriter();
    const content = files.get(path);
    if (content) await writer.write(content.slice(from, from + count));
    for (let left = content ? 0 : count; left > 0; left -= 65536) await writer.write(new Uint8Array(Math.min(left, 65536)));
    await writer.close();
  };
  send().catch(() => {});
  return new Response(readable, { headers });
}

/** Small content is kept; of any other the length is. */
async function write(path, announced, rest, reader) {
  const pieces = [rest];
  let size = rest.length;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size <= 1048576) pieces.push(value);
  }
  if (announced !== undefined && announced !== size) throw new Refusal(400, "bad_request", {});
  const content = new Uint8Array(size <= 1048576 ? size : 0);
  let at = 0;
  if (size <= 1048576) for (const piece of pieces) { content.set(piece, at); at += piece.length; }
  files.set(path, content);
  return Response.json({ entry: { ...entry(path), size } });
}

async function answer(operation, request) {
  const { head, rest, reader } = await framed(request);
  const { server, path } = head;
  if (operation === "host-key") return Response.json({ host_key: settings.HOST_KEY, fingerprint: settings.FINGERPRINT });
  logIn(server);
  requests += 1;
  if (operation === "check") return Response.json({});
  if (operation === "read") return read(head);
  if (operation === "write") return write(path, head.size, rest, reader);
  if (operation === "stat") return Response.json(path === "/requests" ? { name: "requests", path, size: requests } : entry(path));
  if (operation === "list") {
    const all = [...files.keys()].sort();
    const from = Number(head.cursor ?? 0);
    const entries = all.slice(from, from + head.limit).map(entry);
    return Response.json({ entries, next_cursor: from + head.limit < all.length ? String(from + head.limit) : null });
  }
  if (operation === "delete") return files.delete(path) ? Response.json({}) : entry(path);
  if (operation === "rename") {
    const content = files.get(head.from);
    if (!content) entry(head.from);
    files.delete(head.from);
    files.set(head.to, content);
    return Response.json({});
  }
  throw new Refusal(501, "unsupported", { sftp_status: 8 });
}

export default {
  async fetch(request) {
    const url = new URL(request.url);
    try {
      return await answer(url.pathname.slice(1), request);
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      return Response.json({ error: { kind: "bad_request", message: String(error) } }, { status: 400 });
    }
  },
};
`;
