# SPDX-License-Identifier: GPL-3.0-or-later
"""A caller without manners: D-Bus messages as bytes on a socket."""
import array
import os
import socket

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

NAME = "org.bulkhead.Helper1"
PATH = "/org/bulkhead/Helper1"
BUS = "org.freedesktop.DBus"
SECONDS = 30


def message(name, path, interface, member, body=None, flags=Gio.DBusMessageFlags.NONE):
    call = Gio.DBusMessage.new_method_call(name, path, interface, member)
    if body is not None:
        call.set_body(body)
    call.set_flags(flags)
    return call


def helper(method, arguments=None, flags=Gio.DBusMessageFlags.NONE):
    body = None
    if arguments is not None:
        body = GLib.Variant.parse(None, arguments, None, None)
    return message(NAME, PATH, NAME, method, body, flags)


def to_bytes(call, serial):
    call.set_serial(serial)
    return bytes(call.to_blob(Gio.DBusCapabilityFlags.UNIX_FD_PASSING))


HELLO = to_bytes(message(BUS, "/org/freedesktop/DBus", BUS, "Hello"), 1)


class Wire:
    """One connection. It is named by the bus when the first bytes are sent."""

    def __init__(self, path):
        self.serial = 1
        self.kept = b""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SECONDS)
        self.socket.connect(path)
        uid = str(os.getuid()).encode().hex().encode()
        self.socket.sendall(b"\0AUTH EXTERNAL " + uid + b"\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"
                            + HELLO)
        self.negotiated = False

    def close(self):
        self.socket.close()

    def pack(self, call):
        self.serial += 1
        return to_bytes(call, self.serial)

    def send(self, call, descriptors=()):
        """The call's serial."""
        blob = self.pack(call)
        if descriptors:
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
            sent = self.socket.sendmsg([blob], [rights])
            blob = blob[sent:]
        self.socket.sendall(blob)
        return self.serial

    def fill(self, size):
        while len(self.kept) < size:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self.kept += data

    def read_line(self):
        while b"\r\n" not in self.kept:
            self.fill(len(self.kept) + 1)
        line, _, self.kept = self.kept.partition(b"\r\n")
        return line

    def receive(self):
        """The next message; EOFError when the bus has closed the connection."""
        while not self.negotiated:
            self.negotiated = self.read_line().startswith((b"AGREE", b"ERROR"))
        self.fill(16)
        size = Gio.DBusMessage.bytes_needed(self.kept[:16])
        self.fill(size)
        blob, self.kept = self.kept[:size], self.kept[size:]
        return Gio.DBusMessage.new_from_blob(blob, Gio.DBusCapabilityFlags.UNIX_FD_PASSING)

    def answer(self, serial):
        """The answer to the call with this serial: the error's name, or None."""
        while True:
            received = self.receive()
            if received.get_reply_serial() == serial:
                return received.get_error_name()

    def call(self, call):
        return self.answer(self.send(call))
