"""Why the hub does not give a file, and what its user can do: no two reasons read alike."""

from sirene_shared.errors import (
    HubFileMissing,
    HubForbidden,
    HubTokenRefused,
    HubUnauthorized,
    PullError,
)

# What X-Error-Code calls a repository whose terms must be accepted.
GATED = "GatedRepo"


def refusal(status: int, reason: str, what: str, *, has_token: bool) -> PullError:
    """The error for 401, 403, 404 and 410.

    reason: the hub's X-Error-Code, if any; has_token: one was sent.
    """
    if status == 401:
        return _token_refused(what) if has_token else _token_missing(what, reason)
    if status == 403:
        return _forbidden(what, reason)
    return _missing(what, reason)


def _token_refused(what: str) -> PullError:
    return HubTokenRefused(
        f"the hub does not accept our token for {what!r}",
        hint="It is wrong or has expired: make a new one at the hub, give it to us with"
        " `sirene token set` or in the settings, and pull again.",
    )


def _token_missing(what: str, reason: str) -> PullError:
    if reason == GATED:
        return HubUnauthorized(
            f"the hub gives {what!r} only to who has accepted its terms",
            hint="Accept the model's terms on its page at the hub, give us a token of that account"
            " with `sirene token set` or in the settings, and pull again.",
        )
    return HubUnauthorized(
        f"the hub wants a token for {what!r}",
        hint="The repository is private or does not exist: give us a token with"
        " `sirene token set` or in the settings, and pull again.",
    )


def _forbidden(what: str, reason: str) -> PullError:
    if reason == GATED:
        return HubForbidden(
            f"the account of our token has not accepted the terms of {what!r}",
            hint="Accept the model's terms on its page at the hub with the account that our token"
            " is of, wait for the access if it must be granted, and pull again.",
        )
    return HubForbidden(
        f"the hub refuses {what!r}",
        hint="The token may lack the right to read this repository, or a proxy in between"
        " refuses it.",
    )


def _missing(what: str, reason: str) -> PullError:
    if reason == "RepoNotFound":
        return HubFileMissing(
            f"the repository of {what!r} is not at the hub",
            hint="It was removed, renamed or made private: update Sirene or the manifest.",
        )
    if reason == "RevisionNotFound":
        return HubFileMissing(
            f"the hub has {what!r} not at the revision that the manifest names",
            hint="The revision was removed: update Sirene or the manifest.",
        )
    return HubFileMissing(
        f"the hub has no {what!r}",
        hint="The file was moved or removed: update Sirene or the manifest.",
    )
