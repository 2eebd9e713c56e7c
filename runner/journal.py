"""The journal: what was intended, submitted and received. It is written before the act it tells of."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .errors import StoryError

if TYPE_CHECKING:
    import asyncio

VERSION = 1

State = Literal["intended", "sent", "accepted", "made", "recorded", "failed", "unknown", "given up"]
"""Of a submit, each with its precondition.

``intended``  every time it was sent it was clearly refused a hearing; nothing of it is under way
``sent``      the intent with its UUID, its whole request and its price is written; the first byte may be on its way
``accepted``  the provider has said that it knows the UUID
``made``      at least one result was named; those that are fetched say so themselves
``recorded``  every result stands in the takes file and its clip in the store
``failed``    the provider has refused or failed it; what it charged is booked
``unknown``   it may have been accepted, the provider does not know it, and it is too late to send it again by itself
``given up``  a person has said that it is not to be asked for any more
"""
ENDED = frozenset({"recorded", "failed", "given up"})

_TABLES = """
CREATE TABLE IF NOT EXISTS submits (
  uuid TEXT PRIMARY KEY, lane TEXT NOT NULL, board TEXT NOT NULL, shot TEXT NOT NULL, key TEXT NOT NULL,
  takes TEXT NOT NULL, model TEXT NOT NULL, request TEXT NOT NULL, body TEXT NOT NULL, estimate TEXT,
  state TEXT NOT NULL, sent_at REAL NOT NULL, reason TEXT NOT NULL DEFAULT '',
  usd TEXT NOT NULL DEFAULT '0'
);
CREATE INDEX IF NOT EXISTS submits_by_key ON submits (key);
CREATE TABLE IF NOT EXISTS results (
  uuid TEXT NOT NULL, video TEXT NOT NULL, take INTEGER NOT NULL, seed INTEGER, usd TEXT, response TEXT NOT NULL,
  state TEXT NOT NULL, clip TEXT, at REAL NOT NULL, PRIMARY KEY (uuid, video)
);
"""


@dataclass(frozen=True, slots=True)
class Submit:
    """One submit, as it was intended, and what became of it. Money in USD, times in seconds since 1970."""

    uuid: str
    lane: str
    board: str
    shot: str
    key: str
    takes: tuple[int, ...]
    model: str
    request: Mapping[str, Any]
    """With pictures as store digests, and without secrets: what a resend is built from."""
    body: str
    """The digest of the request as it was sent, but for its delivery fields."""
    estimate: Decimal | None
    state: State
    sent_at: float
    reason: str = ""
    usd: Decimal = Decimal(0)
    """What a failed submit was charged."""


@dataclass(frozen=True, slots=True)
class Result:
    """One result of a submit: ``made``, ``fetched`` (its clip is in the store) or ``recorded``."""

    uuid: str
    video: str
    take: int
    seed: int | None
    usd: Decimal | None
    response: Mapping[str, Any]
    state: Literal["made", "fetched", "recorded"]
    clip: str | None
    at: float


class Journal:
    """A journal in a file: SQLite, write-ahead log, every commit synced to the disk.

    What is due at the same time is committed together; whoever awaits a change goes on only when it is on the disk.
    """

    def __init__(self, path: Path, *, reading: bool = False) -> None:
        self._lock = threading.Lock()
        self._due: list[tuple[str, tuple[Any, ...], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        with ExitStack() as opened:
            self._open(path, opened, reading=reading)
            opened.pop_all()

    def _open(self, path: Path, opened: ExitStack, *, reading: bool) -> None:
        import sqlite3

        try:
            if not reading:
                path.parent.mkdir(parents=True, exist_ok=True)
            where = f"{path.absolute().as_uri()}?mode={'ro' if reading else 'rwc'}"
            self._db = sqlite3.connect(where, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
            opened.callback(self._db.close)
            version = int(self._db.execute("PRAGMA user_version").fetchone()[0])
            self.whole = version > 0 or not reading
            """False: it was begun, and whoever began it came to an end before anything could be written."""
            if version > VERSION:
                fact = f"the journal has format {version}; this matchcut reads up to {VERSION}"
                raise StoryError.of(fact, "a newer matchcut; nothing was changed", exit_code=1)
            if self._db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("quick_check")
            if not reading:
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=FULL")
                self._db.executescript(_TABLES + f"PRAGMA user_version={VERSION};")
        except sqlite3.OperationalError as error:
            raise StoryError.of(
                f"the journal cannot be opened: {error}", "look at the disk and its rights", exit_code=1
            ) from error
        except sqlite3.DatabaseError as error:
            fact = f"the journal {path.name} is damaged: what was bought cannot be read from it"
            remedy = "put it back from a backup; or move it away once `matchcut costs` shows what was bought"
            raise StoryError.of(fact, remedy, exit_code=1) from error

    def close(self) -> None:
        self._db.close()

    # reading

    def submits(self, *, board: str | None = None) -> list[Submit]:
        """Every submit, of one storyboard if said, oldest first."""
        where, words = (" WHERE board=?", (board,)) if board is not None else ("", ())
        names = "uuid,lane,board,shot,key,takes,model,request,body,estimate,state,sent_at,reason,usd"
        with self._lock:
            rows = self._db.execute(f"SELECT {names} FROM submits{where} ORDER BY sent_at, rowid", words).fetchall()  # noqa: S608
        return [_submit(row) for row in rows]

    def open(self, *, board: str | None = None) -> list[Submit]:
        """Submits that have not ended."""
        return [submit for submit in self.submits(board=board) if submit.state not in ENDED]

    def numbers(self, key: str) -> set[int]:
        """The take numbers of a key that are in submits which have not ended."""
        marks = ",".join("?" * len(ENDED))
        sql = f"SELECT takes FROM submits WHERE key=? AND state NOT IN ({marks})"  # noqa: S608
        with self._lock:
            rows = self._db.execute(sql, (key, *sorted(ENDED))).fetchall()
        return {number for (takes,) in rows for number in json.loads(takes)}

    def results(self, uuid: str | None = None) -> list[Result]:
        """Results of a submit, or of all."""
        where, words = (" WHERE uuid=?", (uuid,)) if uuid is not None else ("", ())
        names = "uuid,video,take,seed,usd,response,state,clip,at"
        with self._lock:
            rows = self._db.execute(f"SELECT {names} FROM results{where} ORDER BY at, rowid", words).fetchall()  # noqa: S608
        return [_result(row) for row in rows]

    # writing

    async def intend(self, submit: Submit) -> None:
        """Write down what is about to be sent: on the disk before the first byte leaves."""
        await self._do(
            "INSERT INTO submits (uuid,lane,board,shot,key,takes,model,request,body,estimate,state,sent_at)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,'sent',?)",
            submit.uuid, submit.lane, submit.board, submit.shot, submit.key, json.dumps(submit.takes), submit.model,
            json.dumps(submit.request, ensure_ascii=False), submit.body, _money(submit.estimate), submit.sent_at,
        )  # fmt: skip

    async def became(self, uuid: str, state: State, reason: str = "", usd: Decimal | None = None) -> None:
        """A submit has come to another state; ``usd`` is what a failed one was charged."""
        await self._do(
            "UPDATE submits SET state=?, reason=?, usd=COALESCE(?, usd) WHERE uuid=?",
            state,
            reason,
            _money(usd),
            uuid,
        )

    async def resent(self, uuid: str, now: float) -> None:
        """It is about to be sent again, after clear refusals or on a person's word: its time begins anew."""
        await self._do("UPDATE submits SET state='sent', sent_at=? WHERE uuid=?", now, uuid)

    async def made(self, uuid: str, result: Result) -> None:
        """A result was named. What is there already keeps its number."""
        import asyncio

        named = self._do(
            "INSERT OR IGNORE INTO results (uuid,video,take,seed,usd,response,state,clip,at)"
            " VALUES (?,?,?,?,?,?,'made',NULL,?)",
            uuid, result.video, result.take, result.seed, _money(result.usd),
            json.dumps(result.response, ensure_ascii=False), result.at,
        )  # fmt: skip
        state = self._do("UPDATE submits SET state='made' WHERE uuid=? AND state IN ('sent', 'accepted')", uuid)
        await asyncio.gather(named, state)  # in one commit

    async def fetched(self, uuid: str, video: str, clip: str) -> None:
        """A result's clip is in the store."""
        await self._do("UPDATE results SET state='fetched', clip=? WHERE uuid=? AND video=?", clip, uuid, video)

    async def recorded(self, uuid: str, video: str) -> None:
        """A result stands in the takes file."""
        await self._do("UPDATE results SET state='recorded' WHERE uuid=? AND video=?", uuid, video)

    def rename(self, board: str, old: str, new: str) -> int:
        """A shot has another id: what was submitted for it goes along. How many submits that are."""
        with self._lock:
            return self._db.execute("UPDATE submits SET shot=? WHERE board=? AND shot=?", (new, board, old)).rowcount

    async def _do(self, sql: str, *words: Any) -> None:
        import asyncio

        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._due.append((sql, words, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await asyncio.shield(done)

    async def _write(self) -> None:
        import asyncio
        import sqlite3

        while self._due:
            batch, self._due = self._due, []
            try:
                await asyncio.to_thread(self._commit, [(sql, words) for sql, words, _ in batch])
            except sqlite3.Error as error:
                told = StoryError.of(
                    f"the journal cannot be written: {error}", "free some space and run again", exit_code=1
                )
                for _, _, done in batch:
                    if not done.done():
                        done.set_exception(told)
                continue
            for _, _, done in batch:
                if not done.done():
                    done.set_result(None)

    def _commit(self, batch: list[tuple[str, tuple[Any, ...]]]) -> None:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for sql, words in batch:
                    self._db.execute(sql, words)
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise


def read(path: Path) -> tuple[list[Submit], list[Result]]:
    """What a journal says, read only; nothing where there is none."""
    if not path.is_file():
        return [], []
    journal = Journal(path, reading=True)
    try:
        return (journal.submits(), journal.results()) if journal.whole else ([], [])
    finally:
        journal.close()


def _money(usd: Decimal | None) -> str | None:
    return None if usd is None else str(usd)


def _submit(row: tuple[Any, ...]) -> Submit:
    uuid, lane, board, shot, key, takes, model, request, body, estimate, state, sent_at, reason, usd = row
    return Submit(
        uuid, lane, board, shot, key, tuple(json.loads(takes)), model, json.loads(request), body,
        None if estimate is None else Decimal(estimate), state, sent_at, reason, Decimal(usd),
    )  # fmt: skip


def _result(row: tuple[Any, ...]) -> Result:
    uuid, video, take, seed, usd, response, state, clip, at = row
    return Result(uuid, video, take, seed, None if usd is None else Decimal(usd), json.loads(response), state, clip, at)
