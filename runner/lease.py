"""Leases: who is buying what just now, so that two people do not buy the same shot at once."""

from __future__ import annotations

import getpass
import json
import os
import socket
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Literal, TypeVar

from .errors import StoryError
from .shelf import Sheet, Shelf, said
from .store import LocalStore

T = TypeVar("T")
LEASE_S = 600.0
"""How long a lease lives that is not renewed."""
TRIES_MAX = 4


@dataclass(frozen=True, slots=True)
class Lease:
    """Somebody buys the takes of a key. Times in seconds since 1970.

    ``begun``: nothing was sent yet, so that one that has run out may be taken over. ``sent``: something may be paid
    for; it stands until its owner has put what was bought into the store, or a person says that it is to be bought
    again.
    """

    key: str
    owner: str
    who: str
    pid: int
    since: float
    expires: float
    state: Literal["begun", "sent"] = "begun"

    def text(self) -> bytes:
        return (json.dumps({"matchcut-lease": 1, **asdict(self)}, ensure_ascii=False, indent=1) + "\n").encode()

    def told(self) -> str:
        """Who, and since when."""
        return f"{self.who} since {datetime.fromtimestamp(self.since, UTC):%Y-%m-%d %H:%M:%S} UTC"


class Leases:
    """The leases of a shared store, as one project on one machine takes and gives them back."""

    def __init__(self, shelf: Shelf, local: LocalStore, *, seconds: float = LEASE_S, who: str = "") -> None:
        self.shelf, self.local, self.seconds = shelf, local, seconds
        self.who = who or f"{_user()}@{socket.gethostname()}"
        self._notes = local.root / "shared" / "leases"
        self._owner: str | None = None

    @property
    def owner(self) -> str:
        """What this project on this machine is called: made once, and kept."""
        if self._owner is None:
            place = self.local.root / "shared" / "owner"
            if not place.is_file():
                self.local.write(place, f"{uuid.uuid4()}\n".encode())
            self._owner = place.read_text(encoding="utf-8").strip()
        return self._owner

    def left(self) -> list[str]:
        """The keys whose leases were not given back, by this run or by one before it."""
        return sorted(os.listdir(self._notes)) if self._notes.is_dir() else []

    def take(self, key: str, now: float, *, force: bool = False) -> Lease:
        """The lease of a key: this project's own, or somebody else's that stands.

        One of this project's own, from a run that crashed, is taken up again. ``force`` takes over any that has run
        out. Raises StoryError where the store does not answer.
        """
        mine = Lease(key, self.owner, self.who, os.getpid(), now, now + self.seconds)
        created = False
        for _ in range(TRIES_MAX):
            created |= self._ask(lambda: self.shelf.create(_name(key), mine.text()))
            sheet = self._ask(lambda: self.shelf.get(_name(key)))
            if sheet is None:
                continue  # given back meanwhile
            there = _read(key, sheet)
            if created and there == mine:
                return self._noted(there)
            own = there.owner == self.owner or (created and not there.owner)  # not written as it was sent
            if not own and not (there.expires < now and (force or there.state == "begun")):
                return there
            after = replace(mine, state=there.state) if there.owner == self.owner else mine
            if self._replaced(after, sheet):
                return self._noted(after)
        raise StoryError.of(f"the lease of {key[:12]} changes hands all the time", "run again", exit_code=1)

    def renew(self, lease: Lease, now: float, *, sent: bool = False) -> Lease:
        """Keep a lease for longer; ``sent``: something is about to be sent. Raises StoryError where it is lost."""
        after = replace(lease, expires=now + self.seconds, state="sent" if sent else lease.state)
        sheet = self._ask(lambda: self.shelf.get(_name(lease.key)))
        there = _read(lease.key, sheet) if sheet is not None else None
        ours = there is not None and there.owner in (self.owner, "")  # what cannot be read, its holder wrote
        if sheet is None or not ours or not self._replaced(after, sheet):
            who = f": {there.told()} has it" if there is not None else ""
            fact = f"the lease in the shared store was lost before anything was sent{who}"
            raise StoryError.of(fact, "run again", exit_code=4)
        return after

    def give_back(self, key: str) -> None:
        """Let others buy it."""
        sheet = self._ask(lambda: self.shelf.get(_name(key)))
        if sheet is not None and _read(key, sheet).owner == self.owner:
            self._ask(lambda: self.shelf.remove(_name(key)))
        (self._notes / key).unlink(missing_ok=True)

    def _replaced(self, lease: Lease, sheet: Sheet) -> bool:
        return self._ask(lambda: self.shelf.replace(_name(lease.key), lease.text(), sheet))

    def _noted(self, lease: Lease) -> Lease:
        self.local.write(self._notes / lease.key, b"")
        return lease

    def _ask(self, act: Callable[[], T]) -> T:
        for attempt in range(1, TRIES_MAX + 1):
            try:
                return act()
            except OSError as error:
                if attempt == TRIES_MAX:
                    fact = f"{self.shelf.url} does not answer: {said(error)}; nothing is bought, as others may be at it"
                    raise StoryError.of(fact, "run again; or take `store:` away to go on alone", exit_code=1) from error
        raise AssertionError


def _name(key: str) -> str:
    return f"leases/{key}"


def _read(key: str, sheet: Sheet) -> Lease:
    """A lease; one that cannot be read stands until a person decides."""
    try:
        data = json.loads(sheet.data)
        del data["matchcut-lease"]
        return Lease(**{**data, "key": key})
    except (ValueError, TypeError, KeyError):
        return Lease(key, "", "somebody (the lease cannot be read)", 0, 0.0, 0.0, "sent")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
