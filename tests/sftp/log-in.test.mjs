import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import { before, describe, it } from "node:test";
import { PASSWORD, hasAsyncssh } from "./asyncssh.mjs";
import { hasOpenssh, makeKey, publicLine } from "./openssh.mjs";
import { scene } from "./scene.mjs";

const PASSPHRASE = "passphrase of the tests";
const kindOf = ({ status, body }) => `${status} ${body.error?.kind ?? "good"}`;

describe("keys over OpenSSH", { skip: !hasOpenssh }, () => {
  const here = scene();
  let [worker, sshd] = [];
  before(async () => {
    worker = await here.worker();
    sshd = await here.openssh();
  });
  const check = (changes) => worker.ask("check", { ...sshd.account, ...changes });
  const openssl = (...args) => execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  /** The key again in another format, by ssh-keygen. */
  const converted = (file, ...options) => {
    const copy = `${file}-${options.join("").replace(/\W/g, "")}`;
    copyFileSync(file, copy);
    execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-f", copy, ...options]);
    return readFileSync(copy, "utf8");
  };

  it("logs in with keys of all kinds and formats", async () => {
    const kinds = { ed25519: ["-t", "ed25519"], rsa: ["-t", "rsa", "-b", "3072"], "ecdsa-256": ["-t", "ecdsa", "-b", "256"], "ecdsa-384": ["-t", "ecdsa", "-b", "384"], "ecdsa-521": ["-t", "ecdsa", "-b", "521"] };
    for (const [name, options] of Object.entries(kinds)) {
      const file = makeKey(here.folder, name, ...options);
      await sshd.authorize(publicLine(file));
      const texts = { openssh: [readFileSync(file, "utf8")], "encrypted openssh": [converted(file, "-N", PASSPHRASE), PASSPHRASE] };
      if (name !== "ed25519") {
        // ssh-keygen writes PKCS#1 of RSA and SEC1 of ECDSA.
        const pem = converted(file, "-N", "", "-m", "PEM");
        texts.pkcs1 = [pem];
        const source = `${file}-NmPEM`;
        texts.pkcs8 = [openssl("pkcs8", "-topk8", "-nocrypt", "-in", source)];
        if (name === "ecdsa-256") texts["sec1 after its parameters"] = [openssl("ecparam", "-name", "prime256v1") + pem];
        texts["encrypted pkcs8"] = [openssl("pkcs8", "-topk8", "-passout", `pass:${PASSPHRASE}`, "-in", source), PASSPHRASE];
      }
      for (const [format, [private_key, passphrase]] of Object.entries(texts)) {
        assert.equal(kindOf(await check({ private_key, passphrase })), "200 good", `${name} as ${format}`);
      }
    }
  });

  it("says what is wrong with a key", async () => {
    const stranger = makeKey(here.folder, "stranger", "-t", "ed25519");
    assert.equal(kindOf(await check({ private_key: readFileSync(stranger, "utf8") })), "401 wrong_credentials");
    const encrypted = converted(stranger, "-N", PASSPHRASE);
    for (const passphrase of [undefined, "another"]) {
      const refused = await check({ private_key: encrypted, passphrase });
      assert.equal(kindOf(refused), "422 bad_private_key");
      assert.match(refused.body.error.message, /passphrase/);
    }
    assert.equal(kindOf(await check({ private_key: "no key" })), "422 bad_private_key");
    assert.equal(kindOf(await check({ private_key: undefined })), "400 bad_request");
  });

  it("reports the host key without logging in", async () => {
    const { host, port } = sshd.account;
    const before = sshd.log.length;
    const { host_key, fingerprint } = await worker.done("host-key", { host, port });
    assert.equal(host_key, publicLine(sshd.hostKeys.ed25519));
    assert.equal(fingerprint, execFileSync("ssh-keygen", ["-lf", `${sshd.hostKeys.ed25519}.pub`], { encoding: "utf8" }).split(" ")[1]);
    await sshd.idle();
    assert.doesNotMatch(sshd.log.slice(before), /Accepted|Failed|for user/);
  });

  it("is shown the key that is pinned, of several that the server has", async () => {
    assert.equal(kindOf(await check({ host_keys: [publicLine(sshd.hostKeys.rsa)] })), "200 good");
    assert.equal(kindOf(await check({ host_keys: [publicLine(sshd.hostKeys.rsa), publicLine(sshd.hostKeys.ed25519)] })), "200 good");
    const ecdsa = makeKey(here.folder, "host-ecdsa", "-t", "ecdsa");
    const refused = await check({ host_keys: [publicLine(ecdsa)] });
    assert.equal(kindOf(refused), "401 host_key_mismatch");
    assert.match(refused.body.error.server_message, /ssh-ed25519/);
  });

  it("refuses an unreadable or absent host key before it connects", async () => {
    for (const host_keys of [[], ["ssh-ed25519 AAAA"], undefined]) assert.equal(kindOf(await check({ host_keys, port: 1 })), "422 bad_host_key");
  });
});

describe("RSA keys of servers with one signature algorithm", { skip: !hasOpenssh }, () => {
  const here = scene();

  it("signs with SHA-512 and with SHA-256", async () => {
    const worker = await here.worker();
    for (const algorithm of ["rsa-sha2-512", "rsa-sha2-256"]) {
      const sshd = await here.openssh([`PubkeyAcceptedAlgorithms ${algorithm}`, `HostKeyAlgorithms ${algorithm}`]);
      const file = makeKey(here.folder, `user-${algorithm}`, "-t", "rsa", "-b", "2048");
      await sshd.authorize(publicLine(file));
      const account = { ...sshd.account, private_key: readFileSync(file, "utf8"), host_keys: [publicLine(sshd.hostKeys.rsa)] };
      assert.deepEqual(await worker.done("check", account), {}, algorithm);
    }
  });
});

describe("passwords over asyncssh", { skip: !hasAsyncssh }, () => {
  const here = scene();
  let worker;
  before(async () => {
    worker = await here.worker();
  });

  it("logs in with a password, and with it as the answer to a hidden prompt", async () => {
    const { account } = await here.asyncssh();
    for (const username of ["password", "prompt"]) assert.equal(kindOf(await worker.ask("check", { ...account, username })), "200 good", username);
  });

  it("says that a password is wrong", async () => {
    const server = await here.asyncssh();
    for (const username of ["password", "prompt"]) assert.equal(kindOf(await worker.ask("check", { ...server.account, username, password: "wrong-password" })), "401 wrong_credentials", username);
    const { body } = await worker.ask("check", { ...server.account, password: "wrong-password" });
    assert.match(body.error.message, /refused the log in/);
  });

  it("answers neither a second prompt nor one that would show the password", async () => {
    const server = await here.asyncssh();
    for (const username of ["code", "echo"]) assert.equal(kindOf(await worker.ask("check", { ...server.account, username })), "401 wrong_credentials", username);
    assert.ok(!server.events.some(({ event }) => event === "prompt"));
  });

  it("sends no credential to a server with another host key", async () => {
    const [server, other] = [await here.asyncssh(), await here.asyncssh()];
    const refused = await worker.ask("check", { ...server.account, host_keys: other.account.host_keys });
    assert.equal(kindOf(refused), "401 host_key_mismatch");
    assert.equal(refused.body.error.host_key, server.account.host_keys[0]);
    assert.match(refused.body.error.fingerprint, /^SHA256:/);
    assert.deepEqual(await server.reported("connection_lost"), ["connection_lost"]);
  });

  it("says that a server has no SFTP", async () => {
    const { account } = await here.asyncssh(["no_sftp"]);
    assert.equal(kindOf(await worker.ask("check", account)), "501 unsupported");
  });

  it("writes no credential to the console", async () => {
    const { account } = await here.asyncssh();
    await worker.ask("check", { ...account, password: "wrong-password" });
    await worker.ask("check", account);
    assert.ok(!worker.logs.some(({ message }) => message.includes(PASSWORD) || message.includes("wrong-password")));
  });
});
