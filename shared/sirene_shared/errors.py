"""Every error that crosses a boundary, as one tree.

    SireneError
    ├── RequestError
    │   ├── InvalidRequest        invalid_request
    │   ├── CrossSiteRequest      cross_site_request
    │   └── VoiceNotFound         voice_not_found
    ├── ModelError
    │   ├── ModelNotFound         model_not_found
    │   ├── VariantNotFound       variant_not_found
    │   ├── ModelNotInstalled     model_not_installed
    │   ├── ModelDamaged          model_damaged
    │   ├── ModelInUse            model_in_use
    │   ├── PullNotFound          pull_not_found
    │   ├── FilesRefused          files_refused
    │   ├── UploadBroken          upload_broken
    │   └── InvalidManifest       invalid_manifest
    ├── PullError
    │   ├── DiskFull              disk_full
    │   ├── VolumeUnwritable      volume_unwritable
    │   ├── HubFileMissing        hub_file_missing
    │   ├── HubUnauthorized       hub_unauthorized
    │   ├── HubTokenRefused       hub_token_refused
    │   ├── HubForbidden          hub_forbidden
    │   ├── HubRateLimited        hub_rate_limited
    │   ├── HubUnavailable        hub_unavailable
    │   ├── HubOffline            hub_offline
    │   ├── OriginRefused         origin_refused
    │   ├── SizeMismatch          size_mismatch
    │   ├── HashMismatch          hash_mismatch
    │   ├── LeaseLost             lease_lost
    │   └── PullCancelled         pull_cancelled
    ├── SpeechError
    │   ├── ModelsBusy            models_busy
    │   ├── ModelLoading          model_loading
    │   ├── ModelTooLarge         model_too_large
    │   ├── LoadFailed            load_failed
    │   ├── BackendMissing        backend_missing
    │   ├── NoReplica             no_replica
    │   ├── RunnerCrashed         runner_crashed
    │   ├── RunnerUnstable        runner_unstable
    │   ├── OutOfMemory           out_of_memory
    │   ├── SpeechFailed          speech_failed
    │   └── AudioLost             audio_lost
    └── BusUnavailable            bus_unavailable

`code` is stable: clients and the HTTP status table match on it, never on the message. `Failure` is
an error's form on the wire. A message says what happened and a hint what to do; neither holds a
path of the server, a host, a token or a stack.

It is longer than a file should be, since it is one list: a code is looked up here, and BY_CODE is
whole only with all of them.
"""

from collections.abc import Iterator

import msgspec


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A SireneError on the wire and in a model's state."""

    code: str
    message: str
    hint: str = ""
    param: str | None = None
    retryable: bool = False
    retry_after_s: int | None = None

    def error(self) -> "SireneError":
        """The error this came from; a code of a newer version becomes a plain SireneError."""
        kind = BY_CODE.get(self.code, SireneError)
        error = kind(
            self.message, hint=self.hint, param=self.param, retry_after_s=self.retry_after_s
        )
        error.code, error.retryable = self.code, self.retryable
        return error


class SireneError(Exception):
    """The root; raised itself only for what nobody foresaw."""

    code = "internal_error"
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        param: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.param = param
        self.retry_after_s = retry_after_s

    def failure(self) -> Failure:
        return Failure(
            code=self.code,
            message=self.message,
            hint=self.hint,
            param=self.param,
            retryable=self.retryable,
            retry_after_s=self.retry_after_s,
        )


class RequestError(SireneError):
    """The caller asked for something that cannot be."""

    code = "request_error"


class InvalidRequest(RequestError):
    code = "invalid_request"


class CrossSiteRequest(RequestError):
    """A page of another site asked, through the browser of somebody who is here."""

    code = "cross_site_request"


class VoiceNotFound(RequestError):
    code = "voice_not_found"


class ModelError(SireneError):
    """About a model as such."""

    code = "model_error"


class ModelNotFound(ModelError):
    code = "model_not_found"


class VariantNotFound(ModelError):
    code = "variant_not_found"


class ModelNotInstalled(ModelError):
    code = "model_not_installed"


class ModelDamaged(ModelError):
    code = "model_damaged"


class ModelInUse(ModelError):
    code = "model_in_use"


class PullNotFound(ModelError):
    code = "pull_not_found"


class FilesRefused(ModelError):
    """Files that somebody brought are not the model's."""

    code = "files_refused"


class UploadBroken(ModelError):
    """A file that somebody brought did not arrive whole."""

    code = "upload_broken"
    retryable = True


class InvalidManifest(ModelError):
    code = "invalid_manifest"


class PullError(SireneError):
    """Why a pull ended without an installed model."""

    code = "pull_error"


class DiskFull(PullError):
    code = "disk_full"


class VolumeUnwritable(PullError):
    code = "volume_unwritable"


class HubFileMissing(PullError):
    code = "hub_file_missing"


class HubUnauthorized(PullError):
    """401: a token is missing."""

    code = "hub_unauthorized"


class HubTokenRefused(PullError):
    """401, although a token was sent: it is wrong or has expired."""

    code = "hub_token_refused"


class HubForbidden(PullError):
    """403: the token is good, the terms are not accepted or the access not granted."""

    code = "hub_forbidden"


class HubRateLimited(PullError):
    code = "hub_rate_limited"
    retryable = True


class HubUnavailable(PullError):
    """The hub does not answer, stalls, or answers 5xx."""

    code = "hub_unavailable"
    retryable = True


class HubOffline(PullError):
    """HF_HUB_OFFLINE forbids asking the hub."""

    code = "hub_offline"


class OriginRefused(PullError):
    """A host that is not on the allow-list, or one at a private address."""

    code = "origin_refused"


class SizeMismatch(PullError):
    code = "size_mismatch"


class HashMismatch(PullError):
    code = "hash_mismatch"


class LeaseLost(PullError):
    """Another downloader holds the model now; this one commits nothing."""

    code = "lease_lost"
    retryable = True


class PullCancelled(PullError):
    code = "pull_cancelled"


class SpeechError(SireneError):
    """About models in memory and speech."""

    code = "speech_error"


class ModelsBusy(SpeechError):
    """All slots are taken by models in use, until the deadline."""

    code = "models_busy"
    retryable = True


class ModelLoading(SpeechError):
    """The load goes on, but longer than the caller may wait."""

    code = "model_loading"
    retryable = True


class ModelTooLarge(SpeechError):
    """It does not fit in what a replica may use, whatever else leaves."""

    code = "model_too_large"


class LoadFailed(SpeechError):
    code = "load_failed"


class BackendMissing(SpeechError):
    """The manifest names a backend that this build does not have."""

    code = "backend_missing"


class NoReplica(SpeechError):
    """No inference replica answers."""

    code = "no_replica"
    retryable = True


class RunnerCrashed(SpeechError):
    code = "runner_crashed"
    retryable = True


class RunnerUnstable(SpeechError):
    """Its runner crashed several times in a row: the model is refused for a while."""

    code = "runner_unstable"
    retryable = True


class OutOfMemory(SpeechError):
    """Memory, or a GPU's, ran out at a load or during a speech."""

    code = "out_of_memory"
    retryable = True


class SpeechFailed(SpeechError):
    code = "speech_failed"


class AudioLost(SpeechError):
    """A gap in the numbered frames, or no end: never passed on as silence."""

    code = "audio_lost"
    retryable = True


class BusUnavailable(SireneError):
    """NATS cannot be reached."""

    code = "bus_unavailable"
    retryable = True


def tree(kind: type[SireneError] = SireneError) -> Iterator[type[SireneError]]:
    """`kind` and everything below it."""
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


BY_CODE = {kind.code: kind for kind in tree()}
