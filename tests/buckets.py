"""A real S3 server on this machine, in a thread, with one bucket."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from moto.server import ThreadedMotoServer

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def server() -> Iterator[dict[str, str]]:
    """A server while the block lasts: the environment by which it is reached."""
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    try:
        host, port = running.get_host_and_port()
        yield {**KEYS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}
    finally:
        running.stop()


def make(environ: dict[str, str], name: str) -> str:
    """A new bucket; its address."""
    urllib.request.urlopen(urllib.request.Request(f"{environ['AWS_ENDPOINT_URL']}/{name}", method="PUT")).close()
    return f"s3://{name}"


@contextmanager
def bucket(name: str) -> Iterator[str]:
    """A bucket on a server of its own, which this process reaches while the block lasts."""
    with server() as environ, mock.patch.dict(os.environ, environ):
        yield make(environ, name)
