"""The table of refusals: each code the official clients know, and those they do not, in its class."""

from __future__ import annotations

import pytest

from runner.providers.runware.trouble import RULES, is_conflict, is_unheard, rule

CODES = {
    "validation": """invalidDuration unsupportedDuration invalidWidth invalidModel invalidFrameImageWidth missingPrompt
        conflictTaskUUID duplicateThing valueTooLarge arrayTooLong maxLengthExceeded unknownParameter
        incompatibleParameters mismatchProviderSettingsProvider validationFailed modelAlreadyExists""",
    "auth": """invalidApiKey missingApiKey unauthorized forbidden permissionDenied insufficientPermissions
        authenticationFailed tokenExpired accountSuspended organizationDisabled workspaceSuspended""",
    "money": """insufficientCredits providerInsufficientCredits thirdPartyInsufficientCredits quotaExceeded
        paymentRequired lowBalance""",
    "rate": "rateLimitExceeded inferenceRateLimitExceeded providerRateLimitExceeded",
    "safety": """contentPolicyViolation providerContentPolicyViolation invalidProviderContent sensitiveContentDetected
        unsafeContentDetected nsfwContentDetected promptBlocked imageBlocked moderationFailed""",
    "timeout": "timeout providerTimeout providerGatewayTimeout webhookTimeout timeoutProvider",
    "not found": """taskNotFound taskExpired taskCancelled taskFailedOrNotFound modelNotFound mediaNotFound mediaExpired
        unknownModel""",
    "provider": """providerError inferenceError processingFailed taskFailed downloadFailed uploadFailed
        noAvailableServer modelUnavailable modelDisabled modelNotReady somethingNobodyKnows""",
    "server": "internalServerError serviceUnavailable serverUnavailable standardError unknownError",
}


@pytest.mark.parametrize(("trouble", "code"), [(name, code) for name, codes in CODES.items() for code in codes.split()])
def test_a_code_has_its_class(trouble: str, code: str) -> None:
    assert trouble == rule(code).trouble


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (400, "validation"), (401, "auth"), (402, "money"), (403, "auth"), (404, "not found"), (408, "timeout"),
        (409, "validation"), (422, "validation"), (429, "rate"), (500, "server"), (503, "server"), (504, "timeout"),
        (200, "provider"),
    ],
)  # fmt: skip
def test_a_status_alone_has_its_class(status: int, trouble: str) -> None:
    assert trouble == rule(None, status).trouble
    assert trouble == rule("neverSeenBefore", status).trouble


def test_a_telling_status_outweighs_a_vague_code_and_not_a_clear_one() -> None:
    assert "money" == rule("invalidRequest", 402).trouble
    assert "safety" == rule("promptBlocked", 403).trouble


def test_every_rule_says_what_it_means_and_what_to_do() -> None:
    assert all(found.meaning and found.remedy and found.codes for found in RULES)


def test_a_conflict_is_known_by_its_code_or_by_the_field_it_names() -> None:
    assert is_conflict("conflictTaskUUID")
    assert is_conflict("duplicateValue", ("taskUUID",))
    assert not is_conflict("conflictingParameters", ("width",))
    assert not is_conflict(None)


def test_a_task_that_is_not_known_is_no_task_that_failed() -> None:
    assert is_unheard("taskNotFound")
    assert not is_unheard("taskExpired")
    assert not is_unheard("modelNotFound")
