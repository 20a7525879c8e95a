"""A real headless Chromium, driven by its own protocol over two pipes: no driver, no library, no port.

The program is looked for as ``chromium``, ``chromium-browser``, ``google-chrome``, or in the variable NFFA_CHROMIUM.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import time
from contextlib import contextmanager, suppress
from pathlib import Path

ABSENT = "needs Chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--disable-default-apps", "--mute-audio", "--no-default-browser-check", "--renderer-process-limit=1",
)  # fmt: skip
SLOW = 30


def program():
    """The path of Chromium; None where there is none."""
    return os.environ.get("NFFA_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def running(room):
    """Run Chromium with a profile of its own and give it as ``Browser``; None where it is absent."""
    path = program()
    if path is None or os.name != "posix":
        yield None
        return
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    told, tell = os.pipe()  # what it reads
    hear, said = os.pipe()  # what it writes
    spare = [os.dup(told), os.dup(said)]  # so that none of them is 3 or 4 already
    actions = [(os.POSIX_SPAWN_DUP2, spare[0], 3), (os.POSIX_SPAWN_DUP2, spare[1], 4)]
    quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (1, 2)]
    command = [path, *FLAGS, *sandbox, f"--user-data-dir={room}", "about:blank"]
    process = os.posix_spawn(path, command, os.environ, file_actions=quiet + actions, setpgroup=0)
    for each in (told, said, *spare):
        os.close(each)
    browser = Browser(tell, hear)
    try:
        yield browser
    finally:
        browser.close()
        for _ in range(100):
            if os.waitpid(process, os.WNOHANG)[0]:
                break
            time.sleep(0.05)
        else:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
        shutil.rmtree(room, ignore_errors=True)


class Browser:
    """The connection: commands with answers, events as they come."""

    def __init__(self, tell, hear):
        self.tell, self.hear = tell, hear
        self.held, self.number, self.events = b"", 0, []

    def send(self, method, session=None, **params):
        """Send a command and return its answer."""
        self.number += 1
        said = {"id": self.number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self.tell, json.dumps(said).encode() + b"\0")
        end = time.monotonic() + SLOW
        while time.monotonic() < end:
            message = self._next(end)
            if message.get("id") == self.number:
                assert "error" not in message, (method, message["error"])
                return message["result"]
            self.events.append(message)
        raise TimeoutError(method)

    def wait(self, wanted, session):
        """Return the next event of that name in a session; events that came before are forgotten up to it."""
        end = time.monotonic() + SLOW
        while True:
            for at, event in enumerate(self.events):
                if event["method"] == wanted and event.get("sessionId") == session:
                    del self.events[at]
                    return event["params"]
            self.events.append(self._next(end))

    def _next(self, end):
        while b"\0" not in self.held:
            assert select.select([self.hear], [], [], max(0, end - time.monotonic()))[0], "Chromium does not answer"
            found = os.read(self.hear, 1 << 20)
            assert found, "Chromium has ended"
            self.held += found
        message, _, self.held = self.held.partition(b"\0")
        return json.loads(message)

    def close(self):
        """Let it end."""
        with suppress(OSError):
            os.write(self.tell, b'{"id":0,"method":"Browser.close"}\0')
        os.close(self.tell)
        os.close(self.hear)

    @contextmanager
    def page(self, *, script=True, width=1280, height=900, dark=False, downloads=None):
        """Give a page in a context of its own: no cookies of another."""
        context = self.send("Target.createBrowserContext")["browserContextId"]
        target = self.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.send(f"{domain}.enable")
        page.size(width, height)
        page.send(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )
        if not script:
            page.send("Emulation.setScriptExecutionDisabled", value=True)
        if downloads:
            self.send(
                "Browser.setDownloadBehavior", behavior="allow", browserContextId=context, downloadPath=str(downloads)
            )
        try:
            yield page
        finally:
            self.send("Target.disposeBrowserContext", browserContextId=context)
            self.events = [event for event in self.events if event.get("sessionId") != session]


class Page:
    """One page: what a person does there, and what the browser says about it."""

    def __init__(self, browser, session):
        self.browser, self.session = browser, session

    def send(self, method, **params):
        """Send a command to the page."""
        return self.browser.send(method, self.session, **params)

    def size(self, width, height):
        """Give the window a size."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def open(self, url):
        """Go to an address and wait until it is there."""
        self._forget()
        found = self.send("Page.navigate", url=url)
        assert not found.get("errorText"), (url, found)
        self.browser.wait("Page.loadEventFired", self.session)
        return self

    def _forget(self):
        self.browser.events = [e for e in self.browser.events if e["method"] != "Page.loadEventFired"]

    def run(self, code):
        """Return what a script says, as JSON."""
        found = self.send("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, code):
        """Wait until a script says something true, and return it."""
        end = time.monotonic() + SLOW
        while time.monotonic() < end:
            if found := self.run(code):
                return found
            time.sleep(0.03)
        raise TimeoutError(code)

    def text(self, selector="main"):
        """What can be read there."""
        return self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    def all(self, selector):
        """What can be read in each such element."""
        return self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map(each => each.innerText)")

    def click(self, selector, said=None):
        """Click with the mouse on the first such element (that says this), and wait for where it leads."""
        self._forget()
        self.press(selector, said)
        self.browser.wait("Page.loadEventFired", self.session)
        return self

    def press(self, selector, said=None):
        """Click with the mouse; it leads nowhere."""
        which = f"[...document.querySelectorAll({json.dumps(selector)})]"
        which += f".find(each => each.innerText.trim() === {json.dumps(said)})" if said is not None else "[0]"
        box = self.run(
            f"(() => {{ const it = {which}; if (!it) return null; it.scrollIntoView({{block: 'center'}}); "
            "const box = it.getClientRects()[0]; return [box.x + box.width / 2, box.y + box.height / 2] })()"
        )
        assert box, f"there is no {selector} {said or ''}"
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def type(self, selector, text):
        """Type into a field, in place of what is there."""
        self.run(
            f"(() => {{ const it = document.querySelector({json.dumps(selector)}); it.focus(); it.select?.() }})()"
        )
        self.send("Input.insertText", text=text)
        return self

    def key(self, key, code=None, text=None):
        """Press a key."""
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key, code=code or key, **({"text": text} if text else {}),
                  windowsVirtualKeyCode=VIRTUAL.get(key, ord(key) if len(key) == 1 else 0))  # fmt: skip
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key, code=code or key)
        return self

    def enter(self):
        """Press Enter and wait for where it leads."""
        self._forget()
        self.key("Enter", text="\r")
        self.browser.wait("Page.loadEventFired", self.session)
        return self

    def complaints(self):
        """What the console, the log and the network held against the page since it was opened first."""
        self.send("Runtime.evaluate", expression="1")
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            params = event["params"]
            if event["method"] == "Runtime.exceptionThrown":
                found.append(params["exceptionDetails"])
            if event["method"] == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
                found.append(params)
            if event["method"] == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                found.append(params["entry"])
        return found

    def requests(self):
        """The addresses of all requests of the page."""
        mine = [each for each in self.browser.events if each.get("sessionId") == self.session]
        return [each["params"]["request"]["url"] for each in mine if each["method"] == "Network.requestWillBeSent"]

    def picture(self, path):
        """Take a picture of the whole page."""
        self.run(
            "Promise.all([...document.images].map(each => (each.loading = 'eager', each.decode().catch(() => 0))))"
        )
        height = self.run("document.documentElement.scrollHeight")
        width = self.run("innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        Path(path).write_bytes(base64.b64decode(data))


VIRTUAL = {"Enter": 13, "Tab": 9, "ArrowLeft": 37, "ArrowRight": 39, "ArrowUp": 38, "ArrowDown": 40}
