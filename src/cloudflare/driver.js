// The platform's own calls, with its own promises. Rust begins an operation by one synchronous call, and its result is one
// synchronous call back. There is no decision here; `driver.rs` says what each function is for.

/** Calls Rust with the result of an operation: `(operation, status, text, value)`; status 0 is a failure. */
let settled;
/** Counts the wasm instances of this isolate: after a panic there is a new one, which does not know the old operations. */
let instance = 0;
/** The requests that have no response yet. */
const open = new Set();

export function listen(callback) {
  settled = callback;
  instance += 1;
}

// Promises that are not settled. A panic ends the wasm instance, and with it everything that would settle them.
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

/** What settles an operation of the instance that runs now. */
function settling(operation) {
  const began = instance;
  return (status, text, value) => {
    if (began !== instance) return;
    try {
      settled(operation, status, text, value);
    } catch (error) {
      for (const response of open) response.reject(error);
      open.clear();
      throw error;
    }
  };
}

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
    (response) => settle(response.status, "", response),
    (error) => settle(0, String(error), null),
  );
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
  return setTimeout(callback, ms);
}

export function clearTimer(timer) {
  clearTimeout(timer);
}
