"""The line to the service: one address, one key, one pool of connections; a question goes out, an answer comes back."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC
from decimal import Decimal
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any, Literal

import httpx

from ...ports import ProviderError, Setting
from .secret import Secrets, quiet
from .wire import Envelope, Fault, Unreadable, read

ADDRESS = "https://api.runware.ai/v1"
ANSWER_BYTES_MAX = 32 * 1024 * 1024
CONNECT_S_MAX = 10.0
ANSWER_S_MAX = 60.0
IDLE_S_MAX = 3.0
"""Kept connections are dropped before servers do it (5 s is usual): a submit on a dying one has an unclear outcome."""
RETRY_AFTER_S_MAX = 3600.0
CONNECTIONS_MIN = 64
POOL_TASKS = 8
"""How many tasks in flight share a pool of connections. A pool looks at each connection it has whenever one is wanted:
one pool for 100 tasks took a quarter of the processor time of their run.
"""

Failing = Literal["refused", "timeout", "dropped", "unreadable", "redirect", "too large"]


class NoAnswer(Exception):
    """A question that was not answered. ``sent``: whether the service may have seen it."""

    def __init__(self, fact: str, failing: Failing, *, sent: bool, retry_after: float | None = None) -> None:
        self.fact, self.failing, self.sent, self.retry_after = fact, failing, sent, retry_after
        super().__init__(fact)

    def of_a_submit(self) -> ProviderError:
        """What it means where something was to be bought."""
        if not self.sent:
            remedy = "run again: nothing was sent, so nothing was bought"
            return ProviderError(self.fact, remedy, trouble="server", retry_after=self.retry_after)
        remedy = "run again: the service is asked about this task first, and nothing is bought twice"
        return ProviderError(
            f"nobody knows whether the task was accepted: {self.fact}", remedy, trouble="unclear", started=True,
            retry_after=self.retry_after,
        )  # fmt: skip

    def of_a_question(self, *, started: bool = True) -> ProviderError:
        """What it means where something was only asked."""
        if self.failing == "too large":
            remedy = "ask the service about the task; the limit is ANSWER_BYTES_MAX in the provider's module line.py"
            return ProviderError(self.fact, remedy, trouble="provider", started=started)
        trouble: Literal["timeout", "server"] = "timeout" if self.failing == "timeout" else "server"
        remedy = "run again later: what was bought stays known"
        return ProviderError(self.fact, remedy, trouble=trouble, started=started, retry_after=self.retry_after)


class Line:
    """Posts tasks and reads envelopes. No retries, no redirects; what was asked of us by Retry-After is kept to."""

    def __init__(self, setting: Setting, transport: httpx.AsyncBaseTransport | None) -> None:
        quiet()
        self.secrets = Secrets()
        self._clock = setting.clock
        self._environ = setting.environ
        self._asked_url = (setting.environ.get("MATCHCUT_RUNWARE_URL") or setting.url or ADDRESS).strip()
        self._quiet_until = 0.0
        if key := self._environ.get("RUNWARE_API_KEY", "").strip():
            self.secrets.add(key)
        self._places = max(CONNECTIONS_MIN, 2 * setting.in_flight)
        self._transport = transport
        self._pools = 1 if transport is not None else -(-setting.in_flight // POOL_TASKS)
        self._clients: deque[httpx.AsyncClient] = deque()

    @property
    def client(self) -> httpx.AsyncClient:
        """A pool of connections, each in its turn; opened when first wanted, as reading certificates takes a moment.

        It knows no key: that goes along with each question, and with no download. Raises ProviderError where a proxy
        that the environment names cannot be used.
        """
        if not self._clients:
            try:
                self._clients.extend(self._open())
            except (ImportError, ValueError, OSError):
                fact = "a proxy or certificate file that the environment names cannot be used"
                remedy = "a plain http(s) address in HTTPS_PROXY, a readable SSL_CERT_FILE, or neither"
                raise ProviderError(fact, remedy, trouble="validation") from None
        self._clients.rotate()
        return self._clients[0]

    async def aclose(self) -> None:
        for client in self._clients:
            await client.aclose()

    def _open(self) -> list[httpx.AsyncClient]:
        if importlib.util.find_spec("sniffio") is None:
            # The HTTP library asks for it at every turn; a name that is known to be missing costs no search.
            sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]
        # Companies reach the world through proxies named in the environment; nobody reaches this machine so.
        outside = not is_loopback(self.host)
        certificates = httpx.create_ssl_context(trust_env=outside)
        places = -(-self._places // self._pools)
        limits = httpx.Limits(
            max_connections=places, max_keepalive_connections=places, keepalive_expiry=IDLE_S_MAX
        )  # fmt: skip
        return [
            httpx.AsyncClient(
                transport=self._transport,
                follow_redirects=False,
                trust_env=outside,
                verify=certificates,
                timeout=httpx.Timeout(ANSWER_S_MAX, connect=CONNECT_S_MAX, pool=None),
                limits=limits,
                headers={"User-Agent": "matchcut", "Accept-Encoding": "identity"},
            )
            for _ in range(self._pools)
        ]

    @property
    def url(self) -> httpx.URL | None:
        """The service's address; None where what was given is none."""
        try:
            url = httpx.URL(self._asked_url)
        except (httpx.InvalidURL, ValueError, UnicodeError):
            return None
        return url if url.scheme in ("http", "https") and url.host else None

    @property
    def host(self) -> str:
        return self.url.host if self.url is not None else ""

    @property
    def place(self) -> str:
        """Host and port, by which what was learned of one service is not believed of another."""
        return self.url.netloc.decode("ascii", "replace") if self.url is not None else ""

    async def post(self, tasks: Sequence[Mapping[str, Any]]) -> Envelope:
        """One POST. Raises ProviderError (no key, no address: nothing was sent) or NoAnswer."""
        url, key, client = self._address(), self._key(), self.client
        await self._stay_quiet()
        body = json.dumps(tasks, ensure_ascii=False, allow_nan=False, default=_number).encode()
        failure: NoAnswer
        try:
            return await self._exchange(client, url, key, body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            failure = NoAnswer(f"{self.host} cannot be reached{self._why(error)}", "refused", sent=False)
        except httpx.TimeoutException:
            failure = NoAnswer(f"{self.host} did not answer within {ANSWER_S_MAX:.0f} s", "timeout", sent=True)
        except (httpx.RequestError, httpx.StreamError) as error:
            failure = NoAnswer(f"the connection to {self.host} broke{self._why(error)}", "dropped", sent=True)
        # Raised here, the foreign error and the request that it holds do not come along.
        raise failure

    async def _exchange(self, client: httpx.AsyncClient, url: httpx.URL, key: str, body: bytes) -> Envelope:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Accept": "application/json"}
        async with client.stream("POST", url, content=body, headers=headers) as response:
            status, after = response.status_code, self._retry_after(response)
            if 300 <= status < 400:
                fact = f"{self.host} answers with a redirect ({status}), which is not followed: the key would go along"
                raise NoAnswer(fact, "redirect", sent=False)
            got = bytearray()
            async for chunk in response.aiter_bytes():
                got += chunk
                if len(got) > ANSWER_BYTES_MAX:
                    fact = f"the answer of {self.host} is larger than {ANSWER_BYTES_MAX // 2**20} MiB"
                    raise NoAnswer(fact, "too large", sent=True)
        try:
            envelope = read(bytes(got), status, after)
        except Unreadable as error:
            if not 400 <= status < 500:
                fact = f"{self.host} answered with {error} (HTTP {status})"
                raise NoAnswer(fact, "unreadable", sent=True, retry_after=after) from None
            envelope = Envelope((), (), status, after)
        if status >= 400 and not envelope.faults:
            return Envelope(envelope.items, (Fault(None, f"HTTP {status}", status),), status, after)
        return envelope

    def _address(self) -> httpx.URL:
        url = self.url
        remedy = "an https address in MATCHCUT_RUNWARE_URL or in the pipeline's `url:`, or none for the service's own"
        if url is None:
            raise ProviderError("the service's address is no URL", remedy, trouble="validation")
        if url.userinfo or url.query or url.fragment:
            raise ProviderError("the service's address holds a password or a query", remedy, trouble="validation")
        if url.scheme == "http" and not is_loopback(url.host):
            fact = f"the service's address is plain http to {url.host}: the key would be readable on the way"
            raise ProviderError(fact, remedy, trouble="validation")
        return url

    def _key(self) -> str:
        key = self._environ.get("RUNWARE_API_KEY", "").strip()
        if not key:
            remedy = "export RUNWARE_API_KEY=..., or a .env file that holds it; --provider animatic needs no key"
            raise ProviderError("there is no RUNWARE_API_KEY in the environment", remedy, trouble="auth")
        if not (key.isascii() and key.isprintable()) or " " in key:
            remedy = "copy the key again, without quotes and line breaks"
            raise ProviderError("RUNWARE_API_KEY holds characters that no key has", remedy, trouble="auth")
        return key

    async def _stay_quiet(self) -> None:
        while (left := self._quiet_until - self._clock.ticks()) > 0:
            await self._clock.sleep(left)

    def _retry_after(self, response: httpx.Response) -> float | None:
        """Seconds asked for by a Retry-After (a number or a date); every later call of this client keeps to it."""
        seconds = retry_after(response, self._clock.now())
        if seconds is not None and response.status_code in (429, 503):
            self._quiet_until = max(self._quiet_until, self._clock.ticks() + seconds)
        return seconds

    def _why(self, error: Exception) -> str:
        said = self.secrets.clean(str(error))
        return f": {said}" if said else ""


def retry_after(response: httpx.Response, now: float) -> float | None:
    """The seconds of a Retry-After header, at most RETRY_AFTER_S_MAX. None where there is none, or no sense in it."""
    said = response.headers.get("Retry-After", "").strip()
    try:
        seconds = float(said)
    except ValueError:
        try:
            date = parsedate_to_datetime(said)
        except ValueError:
            return None
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
    return min(max(seconds, 0.0), RETRY_AFTER_S_MAX) if seconds == seconds else None  # noqa: PLR0124 - NaN


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.casefold() == "localhost" or host.casefold().endswith(".localhost")


def _number(value: object) -> int | float:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"a {type(value).__name__} cannot be sent")
