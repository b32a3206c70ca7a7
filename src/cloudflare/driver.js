// The platform's own calls, with its own promises. Rust begins an operation by one synchronous call, and its result is one
// synchronous call back. There is no decision here; `driver.rs` says what each function is for.

/** Calls Rust with the result of an operation: `(operation, status, text, value)`; status 0 is a failure. */
let settled;
/** Counts the wasm instances of this isolate: after a trap there is a new one, which does not know what the old one waits for. */
export let instance = 0;
/** The responses that are not returned yet, and the bodies that Rust produces: each has `reject`. */
const open = new Set();
/** Starts a new instance. */
let restart;

export function listen(callback) {
  settled = callback;
}

/** `callback` starts a new instance when a trap has ended the last one. */
export function whenLost(callback) {
  restart = callback;
}

/** The instance ends with all that it has in memory: nothing else settles what is open. */
export function lose() {
  const error = new Error("The wasm instance has ended.");
  console.error(error);
  instance += 1;
  for (const entry of open) entry.reject(error);
  open.clear();
  // What still runs belongs to the old instance.
  queueMicrotask(restart);
}

/** A callback of the instance that runs now. A later instance does not know it. */
function ofInstance(callback) {
  const own = instance;
  return (status, text, value) => {
    if (own === instance) callback(status, text, value);
  };
}

// Promises that are not settled.
export function openResponse() {
  const response = Promise.withResolvers();
  open.add(response);
  return response;
}

export function promiseOf(response) {
  return response.promise;
}

export function respond(response, status, headers, body) {
  open.delete(response);
  try {
    response.resolve(new Response(body, { status, headers: JSON.parse(headers) }));
  } catch (error) {
    response.reject(error);
  }
}

export function passOn(response, value) {
  open.delete(response);
  response.resolve(value);
}

export function refuse(response, message) {
  open.delete(response);
  response.reject(new Error(message));
}

/** A stream that Rust produces, which breaks when its instance ends. */
export function breakable(stream) {
  const reader = stream.getReader();
  const entry = {};
  const source = {
    start(controller) {
      entry.reject = (error) => controller.error(error);
      open.add(entry);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(value);
      open.delete(entry);
      controller.close();
    },
    cancel(reason) {
      open.delete(entry);
      return reader.cancel(reason);
    },
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}

/** What settles an operation. */
const settling = (operation) => ofInstance((status, text, value) => settled(operation, status, text, value));

/** Header fields as `name,value` lines: a name has no comma and a value no line break (RFC 9110 section 5). */
function lines(headers) {
  let text = "";
  headers.forEach((value, name) => {
    text += `${name},${value}\n`;
  });
  return text;
}

export function headOf(request) {
  return `${request.method}\n${request.url}\n${lines(request.headers)}`;
}

export function fieldOf(request, name) {
  return request.headers.get(name) ?? "";
}

export function bodyOf(request) {
  return request.body;
}

export function send(operation, method, url, headers, body, signal) {
  const settle = settling(operation);
  // The edge cache must not keep the data of one account for another.
  const init = { method, headers: JSON.parse(headers), redirect: "manual", cache: "no-store", body, signal };
  fetch(url, init).then(
    (response) => settle(response.status, lines(response.headers), response.body),
    (error) => settle(0, String(error), null),
  );
}

/** The content goes on as it comes. Where it breaks off, so does the request: the Worker never takes a part for the whole. */
function behind(front, content) {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const written = writer.write(front).then(() => {
    writer.releaseLock();
    return content.pipeTo(writable);
  });
  // The Worker has answered without reading it all, or the content broke off: the request says so.
  written.catch(() => {});
  return readable;
}

export function askSftp(operation, env, binding, name, front, content, signal) {
  const settle = settling(operation);
  const body = content === null ? front : behind(front, content);
  env[binding].fetch(`https://sftp/${name}`, { method: "POST", body, signal }).then(
    (response) => settle(response.status, lines(response.headers), response.body),
    (error) => settle(0, String(error), null),
  );
}

/** `location` is a location hint, `eu` for that jurisdiction (the platform has no such hint), or empty. */
function stubOf(env, binding, name, location) {
  const namespace = env[binding];
  if (location === "") return namespace.getByName(name);
  if (location === "eu") return namespace.jurisdiction("eu").getByName(name);
  return namespace.getByName(name, { locationHint: location });
}

export function callObject(operation, env, binding, name, location, method, url, headers, body) {
  const settle = settling(operation);
  const init = { method, headers: JSON.parse(headers), redirect: "manual", body };
  stubOf(env, binding, name, location).fetch(url, init).then(
    (response) => settle(response.status, response.headers.get("x-causeway-lease") ?? "", response),
    (error) => settle(0, String(error), null),
  );
}

export function withoutHeader(response, name) {
  const copy = new Response(response.body, response);
  copy.headers.delete(name);
  return copy;
}

export function waitUntil(context, promise) {
  context.waitUntil(promise);
}

export function sendMessage(operation, env, binding, name, location, headers, message) {
  const settle = settling(operation);
  const init = { method: "POST", headers: JSON.parse(headers), redirect: "manual", body: message };
  const answer = stubOf(env, binding, name, location).fetch("http://object/", init);
  answer.then((response) => response.text().then((text) => settle(response.status, text, null))).catch((error) => settle(0, String(error), null));
}

export function readText(operation, request) {
  const settle = settling(operation);
  request.text().then(
    (text) => settle(1, text, null),
    (error) => settle(0, String(error), null),
  );
}

export function readAll(operation, stream) {
  const settle = settling(operation);
  new Response(stream).arrayBuffer().then(
    (buffer) => settle(1, "", new Uint8Array(buffer)),
    (error) => settle(0, String(error), null),
  );
}

export function readPiece(operation, reader) {
  const settle = settling(operation);
  reader.read().then(
    ({ done, value }) => settle(1, "", done ? null : value),
    (error) => settle(0, String(error), null),
  );
}

/** A body of this many bytes, which are written with `writeWhole`. */
export function openPipe(length) {
  return new FixedLengthStream(length);
}

export function readableOf(pipe) {
  return pipe.readable;
}

export function writeWhole(operation, pipe, bytes) {
  const settle = settling(operation);
  const writer = pipe.writable.getWriter();
  // `bytes` is a view of the wasm memory, which changes.
  const written = writer.write(bytes.slice());
  writer.close().catch(() => {});
  written.then(
    () => settle(1, "", null),
    (error) => settle(0, String(error), null),
  );
}

export function setTimer(callback, ms) {
  return setTimeout(ofInstance(callback), ms);
}

export function runSoon(callback) {
  queueMicrotask(ofInstance(callback));
}

export function clearTimer(timer) {
  clearTimeout(timer);
}

/** Runs a statement; `values` are a JSON array. Its rows as JSON, empty without rows. */
export function execute(sql, statement, values) {
  const rows = sql.exec(statement, ...JSON.parse(values)).raw().toArray();
  return rows.length === 0 ? "" : JSON.stringify(rows);
}
