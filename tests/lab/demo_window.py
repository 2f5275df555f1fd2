# SPDX-License-Identifier: GPL-3.0-or-later
"""The window beside the story that demo.py tells, for whoever has a display."""
import os
import pwd
import signal
import subprocess

from lab import BUILD, REPOSITORY

KEPT = ("DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY", "PATH", "LC_ALL")
NO_SET_UP = "[org/bulkhead/bulkhead]\nfirst-run=false\n"


def has_display():
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def invoking_user():
    """Who typed sudo."""
    return pwd.getpwuid(int(os.environ.get("SUDO_UID") or os.getuid()))


class DemoWindow:
    """Use as a context manager: the window of the user who asked for the demo. The bus that it
    takes for the system's is the lab's; its session bus and its settings are its own, so that an
    installed Bulkhead is not met."""

    def __init__(self, lab):
        user = invoking_user()
        folder = os.path.join(lab.directory, "window")
        settings = os.path.join(folder, "glib-2.0", "settings")
        os.makedirs(settings)
        with open(os.path.join(settings, "keyfile"), "w", encoding="ascii") as file:
            file.write(NO_SET_UP)
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        environment.update(
            HOME=user.pw_dir, USER=user.pw_name, XDG_RUNTIME_DIR=f"/run/user/{user.pw_uid}",
            XDG_CONFIG_HOME=folder, GSETTINGS_BACKEND="keyfile", ADW_DISABLE_PORTAL="1",
            XDG_DATA_DIRS=f"{REPOSITORY}/data:/usr/local/share:/usr/share",
            GSETTINGS_SCHEMA_DIR=f"{BUILD}/data", **lab.environment)
        with open(lab.log_path("window"), "wb") as log:
            self.program = subprocess.Popen(
                ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups",
                 "--pdeathsig=TERM", "dbus-run-session", "--", f"{BUILD}/app/window/bulkhead"],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.program.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass  # it was closed
        self.program.wait(10)
