//! What things cost, in steps of about 5 ns of native release code. The numbers were measured; none is less than what
//! was seen.

/// A node of the tree, evaluated once.
pub(super) const NODE: u64 = 6;
/// A call of a host function of ours, with its look-up by name.
pub(super) const HOOK: u64 = 40;
/// A call of a function of the expression.
pub(super) const CALL: u64 = 160;
/// Making a function costs this for each node of its body: it is copied.
pub(super) const COPY: u64 = 75;
/// A value a path visits.
pub(super) const VISIT: u64 = 10;
/// An item that joins a group of others with its key.
pub(super) const GROUPED: u64 = 80;
/// An item that came of a step of a path.
pub(super) const FOUND: u64 = 15;
/// A container that `*` opens.
pub(super) const OPENED: u64 = 100;
/// A predicate, evaluated for one item.
pub(super) const PREDICATE: u64 = 8;
/// An item that a step's result is made longer by. The engine bounds a sequence
/// when it is complete: at this price it has 24 MiB before.
pub(super) const JOINED: u64 = 50;
/// An item that a function makes a new list or object for.
pub(super) const REMADE: u64 = 120;
/// A tuple of a path with `@`, `#` or `%`, which copies its bindings: some 300
/// bytes each, which nothing else bounds.
pub(super) const TUPLE: u64 = 250;
/// What a built-in applies a function to, in addition to the function's own price.
pub(super) const APPLY: u64 = 40;
/// An item, entry or container that is made or looked at.
pub(super) const ITEM: u64 = 6;
/// Halvings of the longest sequence, which is how often an item is compared
/// when a list is sorted.
pub(super) const HALVINGS: u64 = 17;
/// So many bytes are compared in one step. On wasm32 there is no wider way.
pub(super) const COMPARED: usize = 8;
/// So many bytes of a key are hashed in one step.
pub(super) const HASHED: usize = 4;
/// So many bytes of a text are worked through in one step.
pub(super) const WORKED: usize = 1;
/// So many bytes of produced text cost one step.
pub(super) const MADE: usize = 2;
/// Each byte of a picture of a time or number.
pub(super) const PICTURE: u64 = 10;
/// Each byte of a text that is looked for, split at or padded with: it is
/// prepared for that by us and by the engine.
pub(super) const NEEDLE: u64 = 2;
/// A marker of a picture by which a time is read: a part of a regular
/// expression that is compiled at each use.
pub(super) const MARKER: u64 = 2_000;
/// A marker in words is so many parts.
pub(super) const WORDS: u64 = 20;
/// A hash or an authentication code of a text, next to the bytes of the text.
pub(super) const DIGEST: u64 = 1_000;
/// A signature with a private key.
pub(super) const SIGNATURE: u64 = 50_000;
/// How often the text of such a function is worked through: it is copied, decoded and hashed, for a signature
/// hashed twice.
pub(super) const HASHINGS: u64 = 3;
