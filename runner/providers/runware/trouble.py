"""What the service's refusals mean: which class each code belongs to, and what a person can do about it."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from ...ports import Trouble

_MODEL = (
    "the model may have left the service's catalogue: `matchcut models` lists what is known here, another `model:` "
    "goes on; what was bought stays, and --provider animatic still rehearses the shot"
)
_KEY = "a valid RUNWARE_API_KEY in the environment, with permission for video (`matchcut doctor` checks it)"
_MONEY = "top up the account and run again: the queue is kept, nothing is bought twice (`matchcut doctor` shows it)"
_AGAIN = "run again later: what was made is kept"
_WORDS = "other words or another picture for this shot; the same request would be refused again, so it is not retried"
_FILES = "correct the field in the storyboard or the pipeline; the service's word counts, also against the model card"


@dataclass(frozen=True, slots=True)
class Rule:
    """Codes (small letters, ``*`` for anything) that belong to a class, what that means for the shot, and a way out."""

    trouble: Trouble
    codes: str
    meaning: str
    remedy: str


RULES: tuple[Rule, ...] = (
    Rule(
        "safety",
        "*contentpolicy* invalidprovidercontent sensitivecontent* unsafecontent* nsfwcontent* promptblocked "
        "imageblocked moderation*",
        "the content of this shot was refused",
        _WORDS,
    ),
    Rule(
        "auth",
        "*apikey* unauthorized unauthenticated forbidden *permission* authenticationfailed authentication* "
        "*accountsuspended *accountdisabled *organization*suspended *organization*disabled *workspace*suspended "
        "*workspace*disabled invalidtoken* missingtoken* token* invalidauthentication*",
        "the service does not let this key in",
        _KEY,
    ),
    Rule(
        "money",
        "providerinsufficientcredits thirdpartyinsufficientcredits",
        "the service's own account with the model's maker is empty",
        _AGAIN,
    ),
    Rule("money", "*credits* *quota* *balance* paymentrequired", "there is not enough money in the account", _MONEY),
    Rule("rate", "*ratelimit* toomanyrequests concurrency*", "the service asks for fewer requests", _AGAIN),
    Rule(
        "timeout",
        "*timeout*",
        "the service waited too long for the model",
        "`matchcut retake` makes it anew, as a new paid attempt",
    ),
    Rule(
        "not found", "modelnotfound unknownmodel modelremoved modeldeprecated", "the service has no such model", _MODEL
    ),
    Rule("validation", "invalidmodel*", "the service does not accept the model", _MODEL),
    Rule(
        "not found",
        "tasknotfound taskfailedornotfound",
        "the service knows nothing of the task",
        "`matchcut resolve` asks again, or decides",
    ),
    Rule("not found", "taskexpired taskcancelled taskcanceled", "the task is gone", "`matchcut retake` makes it anew"),
    Rule(
        "not found",
        "media*notfound media*expired *imagenotfound *notfound *expired",
        "something that the request names is gone",
        "run again: pictures of this machine are then uploaded anew",
    ),
    Rule(
        "provider",
        "provider* inferenceerror processingfailed taskfailed downloadfailed uploadfailed noavailableserver "
        "modelunavailable modeldisabled modelnotready",
        "the model failed or is not available",
        "run again later; a task that failed needs a new paid attempt",
    ),
    Rule(
        "server",
        "internal* serviceunavailable serverunavailable servererror standarderror unknownerror badgateway",
        "the service is in trouble",
        _AGAIN,
    ),
    Rule(
        "validation",
        "invalid* missing* conflict* duplicate* unsupported* value* array* max* min* "
        "unknownparameter incompatibleparameters mismatch* validation* modelalreadyexists",
        "the service does not accept the request",
        _FILES,
    ),
)
"""Which class a code belongs to; the first rule that fits holds (``invalidProviderContent`` is safety, not validation).

From the official clients' lists; ``timeoutProvider``, which they do not know, is a timeout. The service says that its
codes are not fully standardised: a code that is in no rule is judged by the answer's status.
"""

_UNKNOWN = Rule("provider", "", "the service refused, with a code that is not known here", _AGAIN)
_GONE = Rule("not found", "", "the service has no such thing", _FILES)
_FIRM = {401: "unauthorized", 402: "paymentRequired", 403: "forbidden", 429: "tooManyRequests"}
_CONFLICT = frozenset({"conflicttaskuuid", "duplicatetaskuuid", "taskuuidconflict", "taskuuidalreadyexists"})
_UNHEARD = frozenset({"tasknotfound", "taskfailedornotfound", "unknowntask"})


def rule(code: str | None, status: int = 200) -> Rule:
    """The rule for a code; where no rule knows it, or only as a malformed request, a telling status counts."""
    found = _named(code or "")
    if status in _FIRM and (found is None or found.trouble in ("validation", "provider", "server")):
        found = _named(_FIRM[status])
    if found is not None:
        return found
    if status == 404:
        return _GONE
    if status >= 400:
        known = _named("timeout" if status in (408, 504) else "serverError" if status >= 500 else "invalidRequest")
        return known or _UNKNOWN
    return _UNKNOWN


def _named(code: str) -> Rule | None:
    folded = code.casefold()
    return next((rule for rule in RULES if any(fnmatchcase(folded, mask) for mask in rule.codes.split())), None)


def is_conflict(code: str | None, parameters: tuple[str, ...] = ()) -> bool:
    """Whether a refusal says that the service knows the task's UUID already, whatever its status is (400 or 409)."""
    folded = (code or "").casefold()
    return folded in _CONFLICT or ("taskUUID" in parameters and folded.startswith(("conflict", "duplicate")))


def is_unheard(code: str | None) -> bool:
    """Whether a refusal says that the service knows nothing of the task."""
    return (code or "").casefold() in _UNHEARD
