"""A real Chromium without a window, told what to do over the DevTools protocol's pipe: JSON with a NUL
behind each message, on its descriptors 3 and 4."""
import base64
import concurrent.futures
import contextlib
import fcntl
import hashlib
import itertools
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time

import harness

SECONDS = 15 * harness.SLOWNESS  # until an answer or an event is overdue
FLAGS = ('--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
         '--disable-dev-shm-usage', '--disable-background-networking',
         '--disable-component-update', '--disable-sync', '--disable-extensions',
         '--remote-debugging-pipe')


def _out_of_the_way(descriptor):
    """The same pipe under a number that the redirections to 3 and 4 do not touch."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved


def key_hash(certificate):
    """What --ignore-certificate-errors-spki-list wants of a certificate's file."""
    key = subprocess.run(['openssl', 'x509', '-in', certificate, '-noout', '-pubkey'],
                         capture_output=True, check=True).stdout
    der = base64.b64decode(b''.join(key.split(b'\n')[1:-2]))
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


class Browser:
    """One Chromium with an empty profile. It trusts that certificate (its file)."""

    def __init__(self, certificate, *flags):
        self.profile = tempfile.mkdtemp(prefix='edgecase-test-')
        commands, self.commands = map(_out_of_the_way, os.pipe())
        answers, said = map(_out_of_the_way, os.pipe())
        self.process = harness.spawn(
            ['bash', '-c', f'exec "$@" 3<&{commands} 4>&{said} {commands}<&- {said}>&-', 'bash',
             'chromium', *FLAGS, f'--user-data-dir={self.profile}',
             f'--ignore-certificate-errors-spki-list={key_hash(certificate)}', *flags,
             'about:blank'],
            pass_fds=(commands, said), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(said)
        self.numbers, self.sending = itertools.count(1), threading.Lock()
        self.waiting, self.pages = {}, {}
        self.reader = threading.Thread(target=self._read, args=(answers,), daemon=True)
        self.reader.start()

    def _read(self, answers):
        with open(answers, 'rb') as pipe:
            parts = []  # of the message that is coming: some have megabytes
            while data := pipe.read1(1 << 20):
                *ends, rest = data.split(b'\0')
                for end in ends:
                    self._take(json.loads(b''.join((*parts, end))))
                    parts = []
                parts.append(rest)
        for future in list(self.waiting.values()):
            future.cancel()

    def _take(self, message):
        if 'id' in message:
            self.waiting.pop(message['id']).set_result(message)
        elif page := self.pages.get(message.get('sessionId')):
            page.events.put(message)

    def call(self, method, session=None, **parameters):
        number, future = next(self.numbers), concurrent.futures.Future()
        self.waiting[number] = future
        message = {'id': number, 'method': method, 'params': parameters}
        if session:
            message['sessionId'] = session
        with self.sending:
            data = memoryview(json.dumps(message).encode() + b'\0')
            while data:
                data = data[os.write(self.commands, data):]
        answer = future.result(SECONDS)
        if 'error' in answer:
            raise AssertionError(f'{method}: {answer["error"]}')
        return answer['result']

    @contextlib.contextmanager
    def page(self):
        """A tab in a profile of its own: it shares no connection with the others."""
        profile = self.call('Target.createBrowserContext')['browserContextId']
        target = self.call('Target.createTarget', url='about:blank',
                           browserContextId=profile)['targetId']
        session = self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        self.pages[session] = page = Page(self, session)
        page.call('Network.enable', maxPostDataSize=0)  # else uploads come back in events
        for domain in ('Page', 'Runtime'):
            page.call(f'{domain}.enable')
        yield page
        self.call('Target.disposeBrowserContext', browserContextId=profile)

    def stop(self):
        with contextlib.suppress(AssertionError, OSError, concurrent.futures.CancelledError,
                                 TimeoutError):
            self.call('Browser.close')
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.commands)
        shutil.rmtree(self.profile, ignore_errors=True)


class Page:
    """One tab. `seen`: the events that came so far, by their names."""

    def __init__(self, browser, session):
        self.browser, self.session = browser, session
        self.events, self.seen = queue.Queue(), {}

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def wait_for(self, name, fits=lambda parameters: True):
        """The parameters of the first such event, which may have come already."""
        for parameters in self.seen.get(name, ()):
            if fits(parameters):
                return parameters
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                event = self.events.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f'no {name} came, but {list(self.seen)}') from None
            self.seen.setdefault(event['method'], []).append(event['params'])
            if event['method'] == name and fits(event['params']):
                return event['params']

    def open(self, url):
        """Goes there, waits until all is loaded, and gives the response to the document."""
        self.seen.clear()
        error = self.call('Page.navigate', url=url).get('errorText')
        if error:
            raise AssertionError(f'{url}: {error}')
        self.wait_for('Page.loadEventFired')
        return next(r for r in self.responses() if r['url'] == url)

    def responses(self):
        return [event['response'] for event in self.seen.get('Network.responseReceived', ())]

    def run(self, script):
        """What the JavaScript expression gives, awaited if it is a promise."""
        answer = self.call('Runtime.evaluate', expression=script, awaitPromise=True,
                           returnByValue=True)
        if 'exceptionDetails' in answer:
            raise AssertionError(f'{script}: {answer["exceptionDetails"]}')
        return answer['result'].get('value')


__all__ = ['Browser', 'Page', 'SECONDS']
