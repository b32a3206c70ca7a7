// What the playground's provider has: 57 contacts, so that lists have several pages, and 12 orders.

const FIRST = ["Ada", "Grace", "Alan", "Katherine", "Edsger", "Barbara", "Donald", "Radia", "Dennis", "Frances"];
const LAST = ["Lovelace", "Hopper", "Turing", "Johnson", "Dijkstra", "Liskov"];
const at = (day) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString();

/** resource → id → record */
export function records() {
  const contacts = Array.from({ length: 57 }, (_, n) => {
    const [first, last] = [FIRST[n % FIRST.length], LAST[n % LAST.length]];
    return { id: `contact-${n + 1}`, name: `${first} ${last}`, email: `${first}.${last}.${n + 1}@example.com`.toLowerCase(), updated_at: at(n) };
  });
  const orders = Array.from({ length: 12 }, (_, n) => ({ id: `order-${n + 1}`, contact_id: `contact-${n * 4 + 1}`, amount: (n + 1) * 1250, currency: "EUR", updated_at: at(n * 2) }));
  const byId = (all) => new Map(all.map((record) => [record.id, record]));
  return { contacts: byId(contacts), orders: byId(orders) };
}
