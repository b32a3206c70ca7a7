# An SFTP server by asyncssh on loopback: passwords, one-time codes, and what odd servers do.
#
#   python asyncssh_server.py '{"root": "/…", "host_key": "/…", "password": "…", "odd": ["short_reads", …]}'
#
# Prints its port, then a line of JSON for each attempt to log in and each session that ends.

import asyncio
import json
import sys

import asyncssh
from asyncssh import sftp

settings = json.loads(sys.argv[1])
odd = set(settings.get("odd", []))


def say(**event):
    print(json.dumps(event), flush=True)


class Server(asyncssh.SSHServer):
    def connection_made(self, connection):
        self.username = None

    def connection_lost(self, error):
        say(event="connection_lost")

    def begin_auth(self, username):
        say(event="begin_auth", username=username)
        self.username = username
        return True

    def password_auth_supported(self):
        return self.username == "password"

    def validate_password(self, username, password):
        say(event="password", username=username)
        return password == settings["password"]

    def kbdint_auth_supported(self):
        return self.username in ("prompt", "code", "echo")

    def get_kbdint_challenge(self, username, language, submethods):
        prompts = [("Password: ", username == "echo")]
        if username == "code":
            prompts.append(("Code: ", False))
        return "", "", "", prompts

    def validate_kbdint_response(self, username, responses):
        say(event="prompt", username=username)
        return list(responses) == [settings["password"]]


class Files(asyncssh.SFTPServer):
    def read(self, file, offset, size):
        if "short_reads" in odd:
            size = min(size, 10_000)
        return super().read(file, offset, size)

    def write(self, file, offset, data):
        if "full" in odd and offset > 1_000_000:
            raise asyncssh.SFTPFailure(f"disk full, {settings['password']}")
        return super().write(file, offset, data)

    async def scandir(self, path):
        if "wrong_names" in odd:
            for name in (b".", b"..", b"../../etc/passwd", b"a\0b", b"good"):
                yield asyncssh.SFTPName(name, attrs=asyncssh.SFTPAttrs())
            return
        async for name in super().scandir(path):
            yield name


if "no_posix_rename" in odd:
    handler = sftp.SFTPServerHandler
    handler._extensions = [one for one in handler._extensions if not one[0].startswith(b"posix-rename")]


async def main():
    kinds = {}
    if "no_sftp" not in odd:
        kinds = {"sftp_factory": Files, "sftp_version": 3}
    listener = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Server, server_host_keys=[settings["host_key"]], allow_scp=False, **kinds
    )
    print(listener.get_port(), flush=True)
    await asyncio.Future()


asyncio.run(main())
