"""The program under test: started in an empty folder with a database of its own, asked over HTTP, ended again."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

START_TRIES = 3
# A cluster is created, and the demo is pushed, on a machine that may be busy.
START_SECONDS = 120
STOP_SECONDS = 30
POLL_SECONDS = 0.1
# Whoever floods the program here is not to be slowed down.
RATE = "1000000"


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Program:
    """Started on entering, ended on leaving."""

    def __init__(self, path, folder):
        self.path, self.folder = path, Path(folder)
        self.log = self.folder / "log"

    def __enter__(self):
        # As root the program runs PostgreSQL under another account, which passes through this folder.
        self.folder.chmod(0o711)
        for _ in range(START_TRIES):
            self._start()
            if self._is_ready():
                return self
            self._stop()
        raise RuntimeError(f"the program did not start:\n{self.log.read_text()}")

    def __exit__(self, *_):
        self._stop()

    def _start(self):
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        # The caller's settings must not reach the program.
        kept = {name: value for name, value in os.environ.items() if not re.match("AFTERCARE_|PG", name)}
        settings = {
            "AFTERCARE_BIND": f"127.0.0.1:{port}",
            "AFTERCARE_ADMIN_BIND": f"127.0.0.1:{_free_port()}",
            "AFTERCARE_DATA_DIR": str(self.folder / "data"),
            "AFTERCARE_CALLER_RATE": RATE,
            "AFTERCARE_TENANT_RATE": RATE,
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [self.path], env=kept | settings, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _is_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            # These are the last words of the welcome, after the demo.
            if "Try it:" in self.log.read_text():
                self.key = (self.folder / "data/demo.key").read_text().strip()
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def get(self, path):
        """Asks for something, as the demo's sandbox."""
        request = urllib.request.Request(self.url + path, headers={"authorization": f"Bearer {self.key}"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def faults(self):
        """The lines of the log in which the program says that something is wrong with itself."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if re.search(r"\bERROR\b|panicked", line)]
