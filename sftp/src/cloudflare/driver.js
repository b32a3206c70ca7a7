// The platform's own objects for mod.rs, and what a trap must end: responses that are not made and streams that are not complete.
// There is no decision here.

/** What ends each response and each stream that waits for the wasm. */
const open = new Set();
/** Starts a new instance. */
let restart;
/** What ended the last instance. */
let lastTrap;

/** `callback` starts a new instance when a trap has ended the last one. */
export function whenLost(callback) {
  restart = callback;
}

/**
 * Until the function that it returns is called, a trap calls `end`: in the request that called this, since the platform lets no other
 * one touch its streams.
 */
export function whileOpen(end) {
  const { promise, resolve } = Promise.withResolvers();
  promise.then(end);
  open.add(resolve);
  return () => open.delete(resolve);
}

/** After a trap, which is how a panic ends too: all that would settle what is open is gone. */
export function lose(error) {
  // It comes again as an unhandled rejection, if it rejected something.
  if (error === lastTrap) return;
  lastTrap = error;
  console.error("The wasm instance has ended:", error);
  for (const end of open) end(error);
  open.clear();
  restart();
}

/** A trap ends the wait too: the platform then closes the sockets of the request. */
export function waitUntil(context, promise) {
  const { promise: ended, resolve } = Promise.withResolvers();
  const close = whileOpen(resolve);
  promise.then(resolve, resolve);
  context.waitUntil(ended.then(close));
}

export function pathOf(request) {
  return new URL(request.url).pathname;
}

export function readerOf(request) {
  return request.body?.getReader();
}

/** The next piece of a body, or null at its end. */
export async function readPiece(reader) {
  const { done, value } = await reader.read();
  return done ? null : value;
}

/** Nothing more of a body is read. */
export function stopReading(reader) {
  reader.cancel().catch(() => {});
}

/** `headers` are JSON; a field that is null is left out. */
export function respond(status, headers, body) {
  const fields = Object.entries(JSON.parse(headers)).filter(([, value]) => value !== null);
  return new Response(body, { status, headers: fields });
}

/**
 * A body of this many bytes. It breaks when it is aborted, or closed before it is complete. `gone` is settled when it has ended or
 * is no longer read.
 */
export function openPipe(length) {
  const { readable, writable } = new FixedLengthStream(length);
  const writer = writable.getWriter();
  const close = whileOpen((error) => writer.abort(error).catch(() => {}));
  const gone = writer.closed.then(close, close);
  return { readable, writer, gone };
}

export function readableOf(pipe) {
  return pipe.readable;
}

export function goneOf(pipe) {
  return pipe.gone;
}

/** Settled when it is read. */
export function writePiece(pipe, bytes) {
  // `bytes` is a view of the wasm memory, which changes.
  return pipe.writer.write(bytes.slice());
}

export function closePipe(pipe) {
  return pipe.writer.close();
}

export function abortPipe(pipe, message) {
  pipe.writer.abort(new Error(message)).catch(() => {});
}
