"""A shot list as a spreadsheet has it: which column means what, and what no cell must be taken for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

COLUMNS: dict[str, str] = {
    "scene": "scene, scene number, scene id, sc, sc number, szene, scène, escena, scena",
    "scene title": "scene title, scene name, scene heading, heading, slugline, slug, szenentitel",
    "shot": "shot, shot number, shot id, number, id, setup, set up, einstellung, plan, plano, inquadratura",
    "title": "title, shot title, shot name, name, titel, titre",
    "size": (
        "size, shot size, framing, frame size, field size, type, shot type, einstellungsgröße, größe, grösse, "
        "valeur de plan, taille de plan, cadre, tamaño"
    ),
    "lens": "lens, lenses, focal length, focal, optics, objektiv, brennweite, objectif, focale, lente",
    "camera": (
        "move, moves, movement, camera, camera move, camera movement, cam, kamera, bewegung, kamerabewegung, "
        "mouvement, mouvement caméra, mouvement de caméra, movimiento, movimento"
    ),
    "action": (
        "description, action, desc, shot description, what happens, content, visual, visuals, subject, picture, "
        "prompt, beschreibung, handlung, inhalt, descripción, acción, descrizione, azione"
    ),
    "seconds": (
        "seconds, second, sec, secs, s, duration, dur, length, time, est time, estimated time, runtime, running time, "
        "screen time, trt, dauer, länge, sekunden, durée, secondes, duración, segundos, durata"
    ),
    "notes": (
        "notes, note, comment, comments, remark, remarks, notizen, notiz, bemerkung, bemerkungen, anmerkung, "
        "anmerkungen, remarque, remarques, commentaires, notas, observaciones"
    ),
    "clip": "clip, clip path, footage, own footage",
    "from": "from, begins on, starts on, first frame, start frame",
    "to": "to, ends on, last frame, end frame",
    "takes": "takes, take count, number of takes",
    "review": "review",
    "hold": "hold",
    "omit": "omit, omitted",
    "fit": "fit",
}  # fmt: skip
"""What a column may be called, in lower case and without punctuation."""

OWN = frozenset(
    "shot title clip from to prompt negative duration takes review hold omit fit model with "
    "notes id scene number".split()
)
"""Names in a shot that have a meaning of their own: none may be a free word."""

_MEANING = {name: field for field, names in COLUMNS.items() for name in names.split(", ")}
_UNIT = re.compile(r"[(\[]([^)\]]*)[)\]]")
_RISKY = re.compile("'*[=+\\-@\uff1d\uff0b\uff0d\uff20]")
_DIGITS = re.compile(r"[0-9]+\Z")


def meaning(header: str) -> tuple[str | None, str]:
    """The field that a column of this name holds, if it is a usual one, and the unit in its brackets.

    ``Shot #`` is ("shot", ""), ``Duration (sec)`` is ("seconds", "sec"), ``Wardrobe`` is (None, "").
    """
    text = unicodedata.normalize("NFKC", header).casefold()
    unit = " ".join(_UNIT.findall(text)).strip()
    words = re.sub(r"[\s_\-./:*]+", " ", _UNIT.sub(" ", text).replace("#", " number ")).split()
    words = ["number" if word in {"no", "nr", "num", "nº", "n°"} else word for word in words]
    return _MEANING.get(" ".join(words)), unit


def free_name(header: str) -> str:
    """The name of the free word that a column of any other name holds; "" where nothing is left."""
    name = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", header).lower()).strip("_")
    return f"column_{name}" if name[:1].isdigit() or name in OWN else name


def header(name: str) -> str:
    """What the column of a free word is called, so that it is read back as that word."""
    plain = meaning(name)[0] is None and free_name(name) == name and not name.startswith("shot.")
    return name if plain else f"shot.{name}"


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula: before ``=``, ``+``, ``-`` and ``@`` stands an apostrophe."""
    return f"'{text}" if _RISKY.match(text) else text


def bare(text: str) -> str:
    """The text that was guarded. Other apostrophes are left alone."""
    return text[1:] if text.startswith("'") and _RISKY.match(text) else text


def numbers(cells: Sequence[str], width: int) -> list[str]:
    """The numbers of a column with the zeros that spreadsheets take away: ``10, 20`` was ``0010, 0020``.

    They are given back where other numbers of the column still have theirs, and where all of them are counted in tens.
    """
    cells = [cell.removesuffix(".0") if _DIGITS.match(cell.removesuffix(".0")) else cell for cell in cells]
    known = [cell for cell in cells if cell]
    zeros = [len(cell) for cell in known if _DIGITS.match(cell) and cell.startswith("0") and int(cell)]
    tens = bool(known) and all(_DIGITS.match(cell) and int(cell) % 10 == 0 and int(cell) for cell in known)
    if not zeros and not tens:
        return cells
    wide = max(zeros, default=width)
    return [cell.zfill(wide) if _DIGITS.match(cell) else cell for cell in cells]
