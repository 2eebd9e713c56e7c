"""Where clips may be fetched from: the service's own hosts and those that the user lists, never the private network."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from urllib.parse import urljoin

import httpx

from ...ports import ProviderError
from .line import is_loopback

SERVICE = "runware.ai"

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses behind a host name; none where it has none here."""


async def by_the_system(host: str, port: int) -> Sequence[str]:
    """What the system's resolver says. A name unknown here may be known to a proxy, and leads nowhere otherwise."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return [str(entry[4][0]) for entry in found]


async def by_nobody(host: str, port: int) -> Sequence[str]:  # noqa: ARG001
    """Where a transport was handed in, names are its business."""
    return ()


class Hosts:
    """The allowed places. ``listed``: hosts of the user's, ``*.example.com`` for all below, ``host:port`` for one port.

    An API on this machine (the stand-in) may give addresses on its own port of this machine, and nothing else may.
    """

    def __init__(self, api: httpx.URL | None, listed: Sequence[str], resolve: Resolve) -> None:
        self._api = api if api is not None and is_loopback(api.host) else None
        self._listed = tuple(host.strip().casefold() for host in listed)
        self._resolve = resolve

    async def check(self, address: str, base: httpx.URL | None = None) -> httpx.URL:
        """The address, if a clip may be fetched from it. Raises ProviderError (``asset``)."""
        try:
            url = httpx.URL(urljoin(str(base), address) if base is not None else address)
            port = url.port or (443 if url.scheme == "https" else 80)
        except (httpx.InvalidURL, ValueError, UnicodeError):
            raise _refused("the clip's address is no URL", None) from None
        if self._api is not None and is_loopback(url.host) and port == (self._api.port or 80) and not url.userinfo:
            return url
        if url.scheme != "https" or not url.host or url.userinfo:
            raise _refused(f"the clip's address is not https: {url.scheme}://{url.host}", None)
        if not self._known(url.host.casefold(), port):
            raise _refused(f"the clip is at {url.host}, which is no host of the service", url.host)
        literal = _address(url.host)
        for found in [literal] if literal else await self._resolve(url.host, port):
            if not _is_public(found):
                raise _refused(f"{url.host} leads into a private network ({found})", None)
        return url

    def _known(self, host: str, port: int) -> bool:
        if host == SERVICE or host.endswith(f".{SERVICE}"):
            return port == 443
        for listed in self._listed:
            name, _, only = listed.partition(":") if listed.count(":") == 1 else (listed, "", "")
            fits = host.endswith(name[1:]) if name.startswith("*.") else host == name.strip("[]")
            if fits and (port == 443 if not only else only == str(port)):
                return True
        return False


def _address(host: str) -> str | None:
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:
        return None


def _is_public(address: str) -> bool:
    """Whether an address is of the open internet; v4 written as v6 counts as what it is."""
    found = ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    found = inner or found
    return found.is_global and not found.is_multicast


def _refused(fact: str, host: str | None) -> ProviderError:
    remedy = f"if that is right, list it: `hosts: [{host}]`" if host else None
    return ProviderError(fact, remedy or "ask the service where the clip is", trouble="asset", started=True)
