// Looks at the storage folder from outside, so that a test need not believe the Worker.
// Layout: do/causeway-<Class>/<object id>.sqlite and metadata.sqlite (alarms, which each object's database has, too), each with its -wal (committed pages
// not yet folded in); kv/<binding>/blobs. -shm is left out: an index in shared memory that reads change too.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

/** `{file: sha256}` of everything stored. */
export async function fingerprint(folder) {
  const hashes = {};
  for (const file of await storedFiles(folder)) {
    hashes[path.relative(folder, file)] = createHash("sha256").update(await readFile(file)).digest("hex");
  }
  return hashes;
}

/** The files that contain this text. */
export async function holds(folder, text) {
  const found = [];
  for (const file of await storedFiles(folder)) {
    if ((await readFile(file)).includes(text)) found.push(path.relative(folder, file));
  }
  return found;
}

/**
 * `{file: sha256}` of what the databases say and what lies next to them. Unlike `fingerprint` it does not change when
 * the runtime opens a database after a crash and folds its log in; a write of the same value escapes it. An object that was asked and
 * has nothing leaves a database without a table: that is nothing stored.
 */
export async function contents(folder) {
  const hashes = {};
  for (const file of (await storedFiles(folder)).filter((file) => !file.endsWith("-wal"))) {
    const tables = file.endsWith(".sqlite") ? await onCopy(file, everyRow) : undefined;
    if (tables?.length === 0) continue;
    hashes[path.relative(folder, file)] = createHash("sha256").update(tables ? JSON.stringify(tables) : await readFile(file)).digest("hex");
  }
  return hashes;
}

/** The rows of a query in every object's database of a class folder. An object without the table has none. */
export async function rows(folder, query) {
  const found = await Promise.all((await objectFiles(folder)).map((file) => onCopy(file, (database) => rowsOf(database, query, path.basename(file, ".sqlite")))));
  return found.flat();
}

/** The alarms of every class that are set: `[{object, …}]`. */
export async function alarms(folder) {
  const query = "SELECT actor_id AS object, actor_name AS name, CAST(scheduled_time / 1000000 AS REAL) AS at FROM _cf_ALARM";
  const found = await Promise.all((await alarmFiles(folder)).map((file) => onCopy(file, (database) => database.prepare(query).all())));
  return found.flat();
}

/** Sets every alarm to now, as if all had waited long. Only while no runtime holds the folder. */
export async function makeAlarmsDue(folder) {
  const now = `${Date.now()}000000`;
  for (const file of await alarmFiles(folder)) {
    const set = (name, statement) => withDatabase(path.join(path.dirname(file), name), (database) => database.exec(statement));
    for (const { object } of withDatabase(file, (database) => database.prepare("SELECT actor_id AS object FROM _cf_ALARM").all())) {
      set(`${object}.sqlite`, `UPDATE _cf_METADATA SET value = ${now} WHERE key = 1`);
    }
    set("metadata.sqlite", `UPDATE _cf_ALARM SET scheduled_time = ${now}`);
  }
}

/** Sets the next try of every delivery that waits to now. Only while no runtime holds the folder. */
export async function makeDeliveriesDue(folder) {
  for (const file of await objectFiles(folder)) {
    withDatabase(file, (database) => {
      const has = database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'delivery'").get();
      if (has) database.exec(`UPDATE delivery SET next_at = ${Date.now()} WHERE next_at > ${Date.now()}`);
    });
  }
}

const objectFiles = async (folder) => (await storedFiles(folder)).filter((file) => /[0-9a-f]{64}\.sqlite$/.test(file));
const alarmFiles = async (folder) => (await storedFiles(folder)).filter((file) => path.basename(file) === "metadata.sqlite");

function rowsOf(database, query, object) {
  try {
    return database.prepare(query).all().map((row) => ({ object, ...row }));
  } catch (error) {
    if (/no such table/.test(error.message)) return [];
    throw error;
  }
}

function everyRow(database) {
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all();
  return tables.map(({ name }) => {
    const statement = database.prepare(`SELECT * FROM "${name}"`);
    statement.setReadBigInts(true);
    return [name, statement.all().map((row) => Object.values(row).map(String))];
  });
}

// On a copy: the runtime holds the database itself.
async function onCopy(file, read) {
  const folder = await mkdtemp(path.join(tmpdir(), "causeway-rows-"));
  const copy = path.join(folder, "copy.sqlite");
  try {
    await copyFile(file, copy);
    if (existsSync(`${file}-wal`)) await copyFile(`${file}-wal`, `${copy}-wal`);
    return withDatabase(copy, read);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function withDatabase(file, work) {
  const database = new DatabaseSync(file);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** A stored file's bytes; none when the runtime has folded it in since. */
export async function bytesOf(file) {
  try {
    return await readFile(file);
  } catch (error) {
    if (error.code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

/** Every file of a storage folder that is no index in shared memory. */
export async function storedFiles(folder) {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith("-shm"));
  return files.map((entry) => path.join(entry.parentPath, entry.name)).sort();
}
