"""`smtplib_loop.py COUNT`: ready bytes over one open connection, one after the other."""

import os
import smtplib
import sys

MESSAGE = (
    b"From: notifications@example.com\r\nTo: ada@example.com\r\nSubject: Welcome, Ada!\r\n"
    b"\r\nHi Ada,\r\n\r\nThanks for joining Example!\r\n"
)

if __name__ == "__main__":
    with smtplib.SMTP("127.0.0.1", int(os.environ["PEER_SMTP_PORT"])) as server:
        for _ in range(int(sys.argv[1])):
            server.sendmail("notifications@example.com", ["ada@example.com"], MESSAGE)
