"""The wiring diagram: every subject, its message, its stream; every bucket.

                  api                downloader            inference
    PULL          publishes  ──────▶ work queue
    DELETE        publishes  ──────▶ work queue
    CONTROL       publishes  ──────▶ broadcast
    PROGRESS      relays    ◀──────  ticks
    sirene-wishes writes    ──────▶  mirrors: paused, cancelled, first, now
    sirene-settings writes  ──────▶  mirrors: limits changed while running
    sirene-models mirrors   ◀──────  writes
    SPEAK         asks       ─────────────────────────────▶ who has the model loaded
    LOAD          asks       ─────────────────────────────▶ any replica
    UNLOAD        asks       ─────────────────────────────▶ every replica
    PIN           asks       ─────────────────────────────▶ every replica
    PREFLIGHT     asks      ──────▶  any of them
    VERIFY        asks      ──────▶  any of them
    PARTS         asks      ──────▶  any of them
    STORAGE       asks      ──────▶  every one of them
    SETUP         asks      ──────▶  every one of them
    TOKEN         asks      ──────▶  every one of them; kept by no stream
    UPLOAD        asks      ──────▶  any of them; then the bytes of a file (upload_stream.py)
    IMPORT        asks      ──────▶  any of them
    sirene-sizes                                            mirrors and writes: memory, measured
    sirene-replicas mirrors ◀─────────────────────────────  writes, with a time to live
    SUSPICION                         looks   ◀───────────  could not load what is installed
    DEAD          keeps what was given up, for operators

A model's name has no dot and its variant is always last, so `sirene.v1.pull.kokoro.v1.0` is
unambiguous; filters end in `>`, since a variant may hold dots.
"""

from typing import Final

import msgspec
from nats.js.api import (
    ConsumerConfig,
    DiscardPolicy,
    KeyValueConfig,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)

from sirene_shared.dead_letter import DeadLetter
from sirene_shared.imports import ImportRequest, UploadRequest
from sirene_shared.inference_requests import LoadRequest, PinRequest, SpeakRequest, UnloadRequest
from sirene_shared.inquiries import (
    PartsRequest,
    PreflightRequest,
    SetupRequest,
    StorageRequest,
    TokenRequest,
    VerifyRequest,
)
from sirene_shared.messages import (
    Control,
    DeleteCommand,
    Lease,
    MeasuredSize,
    ModelStatus,
    Progress,
    PullCommand,
    PullLimits,
    ReplicaStatus,
    Suspicion,
    Wish,
)
from sirene_shared.names import ModelRef
from sirene_shared.wire import Wire

DAY_S: Final = 24 * 3600


class Subject(msgspec.Struct, frozen=True):
    """A family of subjects `prefix.<token>…`, all carrying one type of message."""

    prefix: str
    message: type[Wire]
    stream: str | None = None
    """The JetStream stream that keeps it; None: core NATS."""
    is_one: bool = False
    """One subject for all models: whoever may answer does not know yet which it will be."""

    @property
    def all(self) -> str:
        """What to subscribe to for all of it."""
        return self.prefix if self.is_one else f"{self.prefix}.>"

    def of(self, ref: ModelRef) -> str:
        return self.prefix if self.is_one else f"{self.prefix}.{ref.key}"

    def at(self, replica: str) -> str:
        """Where one replica alone is asked, in a family that is one subject."""
        return f"{self.prefix}.{replica}"

    def ref(self, subject: str) -> ModelRef:
        """The model a subject of this family is about. Raises: InvalidRequest."""
        return ModelRef.from_key(subject.removeprefix(f"{self.prefix}."))


COMMANDS: Final = "SIRENE_COMMANDS"
DEAD_LETTERS: Final = "SIRENE_DEAD"

PULL: Final = Subject("sirene.v1.pull", PullCommand, COMMANDS)
DELETE: Final = Subject("sirene.v1.delete", DeleteCommand, COMMANDS)
DEAD: Final = Subject("sirene.v1.dead", DeadLetter, DEAD_LETTERS)
CONTROL: Final = Subject("sirene.v1.control", Control)
PROGRESS: Final = Subject("sirene.v1.progress", Progress)
SPEAK: Final = Subject("sirene.v1.speak", SpeakRequest)
LOAD: Final = Subject("sirene.v1.load", LoadRequest, is_one=True)
UNLOAD: Final = Subject("sirene.v1.unload", UnloadRequest)
PIN: Final = Subject("sirene.v1.pin", PinRequest)
SUSPICION: Final = Subject("sirene.v1.suspicion", Suspicion)
PREFLIGHT: Final = Subject("sirene.v1.preflight", PreflightRequest, is_one=True)
VERIFY: Final = Subject("sirene.v1.verify", VerifyRequest, is_one=True)
PARTS: Final = Subject("sirene.v1.parts", PartsRequest, is_one=True)
STORAGE: Final = Subject("sirene.v1.storage", StorageRequest, is_one=True)
SETUP: Final = Subject("sirene.v1.setup", SetupRequest, is_one=True)
UPLOAD: Final = Subject("sirene.v1.upload", UploadRequest, is_one=True)
IMPORT: Final = Subject("sirene.v1.import", ImportRequest, is_one=True)
TOKEN: Final = Subject("sirene.v1.token", TokenRequest, is_one=True)

SUBJECTS: Final = (
    *(PULL, DELETE, DEAD, CONTROL, PROGRESS, SPEAK, LOAD, UNLOAD, PIN, SUSPICION),
    *(PREFLIGHT, VERIFY, PARTS, STORAGE, SETUP, TOKEN, UPLOAD, IMPORT),
)

STREAMS: Final = (
    # One message a subject: a second pull of the same model is refused and so joins the first.
    StreamConfig(
        name=COMMANDS,
        subjects=[PULL.all, DELETE.all],
        retention=RetentionPolicy.WORK_QUEUE,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_msgs_per_subject=1,
        discard_new_per_subject=True,
        # Short: a long window would swallow the pull that follows a finished one.
        duplicate_window=10,
    ),
    StreamConfig(
        name=DEAD_LETTERS, subjects=[DEAD.all], storage=StorageType.FILE, max_age=30 * DAY_S
    ),
)

# A worker that dies is noticed after this long without a heartbeat, and its command goes on.
ACK_WAIT_S: Final = 10
HEARTBEAT_S: Final = 3
# A command delivered this often is given up by its handler: dead letter first, then TERM. The
# consumer itself has no limit, since a message beyond it would stay and block its subject for ever.
MAX_DELIVERIES: Final = 20
# Nobody takes commands from it: downloaders pick (docs/adr/0005). It shows how many there are.
PULL_CONSUMER: Final = "pull"
DELETE_CONSUMER: Final = "delete"

CONSUMERS: Final = tuple(
    ConsumerConfig(
        durable_name=name,
        filter_subject=subject.all,
        ack_wait=ACK_WAIT_S,
        max_deliver=-1,
    )
    for name, subject in ((PULL_CONSUMER, PULL), (DELETE_CONSUMER, DELETE))
)


class Bucket(msgspec.Struct, frozen=True):
    """A key-value bucket, all of one type."""

    name: str
    message: type[Wire]
    ttl_s: int | None = None
    """How long an entry lives when its writer asks for a time to live."""

    @property
    def config(self) -> KeyValueConfig:
        # direct: reads need one subject only, which permissions can name.
        return KeyValueConfig(
            bucket=self.name,
            history=1,
            direct=True,
            limit_marker_ttl=self.ttl_s and float(2 * self.ttl_s),
        )


MODELS: Final = Bucket("sirene-models", ModelStatus)
REPLICAS: Final = Bucket("sirene-replicas", ReplicaStatus, ttl_s=5)
LEASES: Final = Bucket("sirene-leases", Lease, ttl_s=ACK_WAIT_S)
WISHES: Final = Bucket("sirene-wishes", Wish)
SETTINGS: Final = Bucket("sirene-settings", PullLimits)
DOWNLOADS_KEY: Final = "downloads"
SIZES: Final = Bucket("sirene-sizes", MeasuredSize)

BUCKETS: Final = (MODELS, REPLICAS, LEASES, WISHES, SETTINGS, SIZES)

# NATS micro services: `nats micro ls` shows every replica under these names.
API_SERVICE: Final = "sirene-api"
DOWNLOADER_SERVICE: Final = "sirene-downloader"
INFERENCE_SERVICE: Final = "sirene-inference"

# Queue groups: one member of a group gets each message.
DOWNLOADERS: Final = "downloaders"
REPLICAS_GROUP: Final = "replicas"
