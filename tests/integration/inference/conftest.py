"""A volume with models, and the service on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from tests.support.inference import Inference, InferenceProcess
from tests.support.models_volume import ModelsVolume
from tests.support.nats import NatsServer

Start = Callable[..., InferenceProcess]


@pytest.fixture
def volume(tmp_path: Path) -> ModelsVolume:
    return ModelsVolume(tmp_path / "data")


@pytest.fixture
def start(nats_server: NatsServer, volume: ModelsVolume, tmp_path: Path) -> Iterator[Start]:
    """Starts a service with settings given as `NAME=value`; all end with the test."""
    started: list[InferenceProcess] = []

    def begin(url: str = nats_server.url, **settings: object) -> InferenceProcess:
        log = tmp_path / f"inference-{len(started)}.log"
        started.append(InferenceProcess(url, volume, log, **settings))
        return started[-1]

    yield begin
    for process in started:
        process.end()


@pytest.fixture
def inference(nc: Client, js: JetStreamContext) -> Inference:
    return Inference(nc)
