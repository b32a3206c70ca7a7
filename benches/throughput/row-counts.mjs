// Counts the rows that the objects of a Worker write and read, as the platform counts them (`rowsWritten`, `rowsRead` of its cursors): the
// built module is wrapped by a second one, which hands its classes a `sql` that is looked at. `GET /row-counts` of the Worker has the sums,
// and the bytes of the wasm's memory.

export const ROW_COUNTS = "/row-counts";

export function withRowCounts({ config, ...worker }) {
  const { manifest } = config;
  const esm = (contents) => ({ type: "esm", contents });
  const modules = { ...manifest.modules, "memory.js": esm(MEMORY), "counting.js": esm(wrapper(Object.keys(config.exports), manifest.mainModule)) };
  return { ...worker, config: { ...config, manifest: { ...manifest, mainModule: "counting.js", modules } } };
}

// Evaluated before the built module, which makes its instance at once.
const MEMORY = `
export const wasm = {};
WebAssembly.Instance = class extends WebAssembly.Instance {
  constructor(...given) {
    super(...given);
    wasm.memory = this.exports.memory;
  }
};
`;

// A cursor has its numbers once its rows are read, which is before the next statement.
const wrapper = (classes, main) => `
import { wasm } from "./memory.js";
import Main, * as built from "./${main}";

const rows = { written: 0, read: 0 };
let last;

function add(cursor) {
  rows.written += last?.rowsWritten ?? 0;
  rows.read += last?.rowsRead ?? 0;
  last = cursor;
}

function counted(state) {
  const { sql } = state.storage;
  const exec = sql.exec.bind(sql);
  sql.exec = (...statement) => {
    const cursor = exec(...statement);
    add(cursor);
    return cursor;
  };
  return state;
}

export default {
  fetch(request, ...more) {
    if (new URL(request.url).pathname !== "${ROW_COUNTS}") return Main.fetch(request, ...more);
    add(undefined);
    return Response.json({ ...rows, memory: wasm.memory.buffer.byteLength });
  },
};
${classes.map((name) => `export class ${name} extends built.${name} {\n  constructor(state, env) { super(counted(state), env); }\n}`).join("\n")}
`;
