"""A mail server for the tests: aiosmtpd on loopback, which keeps what it is given as JSON files.

smtp_server.py DIRECTORY [starttls|wrapped CERTIFICATE KEY]

It prints its port. DIRECTORY/mode says how it behaves, and may change between two mails.
"""

import asyncio
import json
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

home = pathlib.Path(sys.argv[1])
tls = sys.argv[2] if len(sys.argv) > 2 else ""
mails = 0


def mode():
    try:
        return (home / "mode").read_text()
    except FileNotFoundError:
        return ""


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        session.count = getattr(session, "count", 0) + 1
        if mode() == "busy-mail" or (mode() == "two-a-session-mail" and session.count > 2):
            return "451 4.7.1 no more mails now"
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if mode() == "refuse-rcpt" or address.startswith("bad"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("later"):
            return "450 4.2.0 come back later"
        if mode() == "busy-rcpt" or (mode() == "two-a-session-rcpt" and session.count > 2):
            return "451 4.7.1 no more recipients now"
        if mode() == "full-name" and "." not in session.host_name:
            return "504 5.5.2 <%s>: Helo command rejected: need fully-qualified hostname" % session.host_name
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        global mails
        if mode() == "refuse-data":
            return "554 5.6.0 not this one"
        if mode() == "busy":
            return "451 4.3.0 come back later"
        mails += 1
        kept = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "data": envelope.content.decode("utf-8"),
            "hello": session.host_name,
            "encrypted": tls == "wrapped" or session.ssl is not None,
            "login": getattr(session, "who", None),
        }
        # Under its name only once it is whole: the test looks at any time.
        draft = home / f"{mails:04}.draft"
        draft.write_text(json.dumps(kept))
        draft.rename(home / f"{mails:04}.json")
        if mode() == "drop":
            server.transport.abort()
        if mode() == "hang":
            await asyncio.sleep(3600)
        if mode() == "slow":
            await asyncio.sleep(0.02)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (b"patctl", b"mail:pass word")
    if good:
        session.who = data.login.decode()
    return AuthResult(success=good, handled=False)


async def main():
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3], sys.argv[4])

    def protocol():
        return SMTP(
            Handler(),
            hostname="test.example",
            enable_SMTPUTF8=True,
            tls_context=context if tls == "starttls" else None,
            authenticator=authenticate,
            auth_require_tls=False,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context if tls == "wrapped" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
