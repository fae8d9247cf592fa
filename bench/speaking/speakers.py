"""Sirene's voices in this process, and Sirene's whole product with the same voices."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from bench.speaking.client import Client
from bench.speaking.heard import Heard, Speaker, listen
from sirene_inference import backends, kept
from sirene_inference.cancellation import Cancellation
from sirene_shared.manifest import load_catalogue
from sirene_shared.names import ModelRef
from tests.support.models_volume import ModelsVolume
from tests.support.product import Product

CACHE_BYTES = 1 << 30


@contextmanager
def in_process(volume: ModelsVolume, ref: ModelRef, threads: int) -> Iterator[Speaker]:
    """The backend of an installed model, loaded as the service loads it the second time."""
    kept.use(volume.root.parent / "cache", CACHE_BYTES)
    manifest = load_catalogue(volume.manifests).find(ref.id).manifest
    folder = volume.root / ref.model / ref.variant
    files = {file.path: folder / file.path for file in manifest.variants[ref.variant].file_list}
    backend = backends.find(manifest.backend)
    load = partial(backend.load, files, manifest, ref.variant, device="cpu", threads=threads)
    load().close()  # the second one keeps what it makes of the graph
    with closing(load()) as voice:

        def speak(text: str) -> Heard:
            pieces = voice.speak(
                text, voice="", language="", speed=1.0, seed=None, cancelled=Cancellation()
            )
            return listen(pieces, voice.sample_rate)

        yield speak


@contextmanager
def product(folder: Path, volume: ModelsVolume, *models: ModelRef) -> Iterator[Product]:
    """`sirene up` with these in memory, for as long as it runs."""
    environ = {"SIRENE_MANIFESTS_PATH": str(volume.manifests), "INFERENCE_KEEP_ALIVE": "-1"}
    sirene = Product(folder, environ)
    assert sirene.models == volume.root
    sirene.start()
    try:
        for ref in models:
            sirene.http.post(f"/api/models/{ref.id}/load").raise_for_status()
        yield sirene
    finally:
        sirene.stop()


def over_http(sirene: Product, ref: ModelRef, kind: str = "wav") -> Client:
    address = urlsplit(sirene.url)
    return Client(
        address.hostname or "",
        address.port or 0,
        "/v1/audio/speech",
        lambda text: {"model": ref.id, "input": text, "response_format": kind},
    )
