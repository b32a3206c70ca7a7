// Providers as senders: each request is made by the provider's own library, as it would come.
// Slack: `@slack/bolt` verifies and cannot sign, and brings a web server; signed here as its `isValidSlackRequest` checks it.

import "@shopify/shopify-api/adapters/node";
import { sign as signOfGithub } from "@octokit/webhooks-methods";
import * as ed25519 from "@noble/ed25519";
import { HashFormat, createSHA256HMAC } from "@shopify/shopify-api/runtime";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { Stripe } from "stripe";
import { Webhook as SvixWebhook } from "svix";
import twilio from "twilio/lib/webhooks/webhooks.js";
import { newSecret, standardRequest } from "./webhooks.mjs";

const seconds = () => Math.floor(Date.now() / 1_000);
const asJson = (value, headers) => ({ headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(value) });
const word = (secret) => ({ secret, shared: secret });
const random = () => word(randomBytes(16).toString("hex"));

/** Ids as the providers write them, one for each account. */
const hexOf = (to) => createHash("sha256").update(to).digest("hex").slice(0, 32);
const numberOf = (to) => Number.parseInt(hexOf(to).slice(0, 8), 16);
const twilioOf = (to) => `AC${hexOf(to)}`;

/**
 * library → `{file, key(), path?, request({url, secret, id, to}), event, lookup?}`.
 * - `file`: the shipped integration; `key()` → `{secret, shared}`: what the provider signs with, and what the gateway is given.
 * - `request` → `{headers, body}` and, where the library says so, `query` of the address; `id` is the provider's own of the event.
 * - `lookup(to)`: the context of the account that an install's webhook is for; `event`: what the event is called then.
 */
export const SENDERS = {
  stripe: {
    file: "stripe",
    key: () => word(`whsec_${randomBytes(16).toString("hex")}`),
    lookup: (to) => ({ stripe_account_id: `acct_${to}` }),
    event: "stripe:invoice.paid",
    request({ secret, id, to }) {
      const { headers, body } = asJson({ id: `evt_${id}`, object: "event", type: "invoice.paid", account: `acct_${to}`, data: { object: { id: "in_1", object: "invoice" } } });
      return { headers: { ...headers, "stripe-signature": Stripe.webhooks.generateTestHeaderString({ payload: body, secret }) }, body };
    },
  },
  "@octokit/webhooks-methods": {
    file: "github",
    key: random,
    lookup: (to) => ({ installation_id: String(numberOf(to)) }),
    event: "github:issues.opened",
    async request({ secret, id, to }) {
      const { headers, body } = asJson({ action: "opened", issue: { number: 7, title: id }, repository: { id: 1 }, installation: { id: numberOf(to) } });
      return { headers: { ...headers, "x-github-event": "issues", "x-github-delivery": id, "x-hub-signature-256": await signOfGithub(secret, body) }, body };
    },
  },
  "svix, as clerk": {
    file: "clerk",
    key: () => word(newSecret()),
    lookup: (to) => ({ instance_id: `ins_${to}` }),
    event: "clerk:user.created",
    request: (parameters) => bySvix({ type: "user.created", data: { id: "user_1" }, instance_id: `ins_${parameters.to}` }, parameters),
  },
  "svix, as resend": { file: "resend", key: () => word(newSecret()), event: "resend:email.sent", request: (parameters) => bySvix({ type: "email.sent", data: { email_id: "e1" } }, parameters) },
  standardwebhooks: {
    file: "standard-webhooks",
    key: () => word(newSecret()),
    event: "standard-webhooks:user.created",
    request: ({ secret, id }) => standardRequest(secret, { type: "user.created", data: { id: "user_1" } }, { id }),
  },
  "twilio, a form": {
    file: "twilio",
    key: random,
    lookup: (to) => ({ account_sid: twilioOf(to) }),
    event: "twilio:call",
    request({ url, secret, id, to }) {
      const query = "?foo=1&bar=a%20b";
      const form = { AccountSid: twilioOf(to), CallSid: `CA${id}`, Caller: "+14158675310", From: "+14158675310", To: "+18005551212", Digits: "1234" };
      const signature = twilio.getExpectedTwilioSignature(secret, url + query, form);
      return { query, headers: { "content-type": "application/x-www-form-urlencoded", "i-twilio-idempotency-token": id, "x-twilio-signature": signature }, body: new URLSearchParams(form).toString() };
    },
  },
  "twilio, JSON": {
    file: "twilio",
    key: random,
    lookup: (to) => ({ account_sid: twilioOf(to) }),
    event: "twilio:call",
    request({ url, secret, id, to }) {
      const { headers, body } = asJson({ AccountSid: twilioOf(to), CallSid: `CA${id}`, note: "naïve, 42 €" });
      const query = `?bodySHA256=${twilio.getExpectedBodyHash(body)}`;
      return { query, headers: { ...headers, "i-twilio-idempotency-token": id, "x-twilio-signature": twilio.getExpectedTwilioSignature(secret, url + query, {}) }, body };
    },
  },
  "slack, as @slack/bolt checks it": {
    file: "slack",
    key: random,
    lookup: (to) => ({ team_id: `T${to}` }),
    event: "slack:message",
    request: ({ secret, id, to }) => bySlack({ type: "event_callback", team_id: `T${to}`, event_id: `Ev${id}`, event: { type: "message", channel: "C1" } }, secret),
    handshake: ({ secret }) => ({ ...bySlack({ type: "url_verification", challenge: "3eZbrw1aBm2r" }, secret), answer: { status: 200, text: "3eZbrw1aBm2r" } }),
  },
  "@shopify/shopify-api": {
    file: "shopify",
    key: random,
    lookup: (to) => ({ shop: `shop-${to}` }),
    event: "shopify:orders.create",
    async request({ secret, id, to }) {
      const body = `{"id":820982911946154508,"email":"jon@example.com","note":"${id}"}`;
      const headers = { "content-type": "application/json", "x-shopify-topic": "orders/create", "x-shopify-shop-domain": `shop-${to}.myshopify.com`, "x-shopify-event-id": id };
      return { headers: { ...headers, "x-shopify-hmac-sha256": await createSHA256HMAC(secret, body, HashFormat.Base64) }, body };
    },
    exact: "820982911946154508", // beyond what a JavaScript number holds
  },
  "@noble/ed25519, as discord": {
    file: "discord",
    async key() {
      const secret = ed25519.utils.randomSecretKey();
      return { secret, shared: Buffer.from(await ed25519.getPublicKeyAsync(secret)).toString("hex") };
    },
    lookup: (to) => ({ application_id: String(numberOf(to)) }),
    event: "discord:APPLICATION_AUTHORIZED",
    request: ({ secret, to }) => byDiscord({ version: 1, application_id: String(numberOf(to)), type: 1, event: { type: "APPLICATION_AUTHORIZED", timestamp: new Date().toISOString() } }, secret),
    handshake: async ({ secret }) => ({ ...(await byDiscord({ version: 1, application_id: "1234560123453231555", type: 0 }, secret)), answer: { status: 204, text: "" } }),
  },
};

function bySvix(event, { secret, id }) {
  const { headers, body } = asJson(event);
  const at = new Date();
  const signature = new SvixWebhook(secret).sign(id, at, body);
  return { headers: { ...headers, "svix-id": id, "svix-timestamp": String(Math.floor(at / 1_000)), "svix-signature": signature }, body };
}

function bySlack(event, secret) {
  const { headers, body } = asJson(event);
  const time = seconds();
  const signature = `v0=${createHmac("sha256", secret).update(`v0:${time}:${body}`).digest("hex")}`;
  return { headers: { ...headers, "x-slack-request-timestamp": String(time), "x-slack-signature": signature }, body };
}

async function byDiscord(event, secret) {
  const { headers, body } = asJson(event);
  const time = String(seconds());
  const signature = await ed25519.signAsync(Buffer.from(time + body), secret);
  return { headers: { ...headers, "x-signature-timestamp": time, "x-signature-ed25519": Buffer.from(signature).toString("hex") }, body };
}
