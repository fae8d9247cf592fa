"""What the downloader works with, made from its settings: the ways to the hub and to the volume."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import NamedTuple

from sirene_downloader.hub import Hub
from sirene_downloader.hub_token import HubToken
from sirene_downloader.places import plain_urls
from sirene_downloader.pull import Workshop
from sirene_downloader.request import Client
from sirene_downloader.settings import MAX_PULLS, Limits, Settings
from sirene_downloader.staging import Staging
from sirene_downloader.transfer.throttle import Throttle
from sirene_downloader.transfer.wire import Wire
from sirene_shared.manifest import Catalogue
from sirene_shared.store import Store

# For the volume; the bytes have threads of their own (transfer/crew.py). And two for the rest. They
# are started when they are needed, so that the bound is for as many pulls as may be asked for.
THREADS_PER_PULL = 2


class Equipment(NamedTuple):
    workshop: Workshop
    token: HubToken
    client: Client
    """For questions; the bytes come over the workshop's wire."""


def equip(
    settings: Settings,
    catalogue: Catalogue,
    limits: Limits,
    throttle: Throttle,
    replica: str,
    stack: AsyncExitStack,
) -> Equipment:
    """stack: closes it all."""
    executor = ThreadPoolExecutor(2 + THREADS_PER_PULL * MAX_PULLS, "disk")
    stack.callback(executor.shutdown, wait=True, cancel_futures=True)
    policy = settings.policy(plain_urls(catalogue, settings.hf_endpoint))
    store = Store(settings.models_path)
    token = HubToken(store.hub_token, settings.hf_token)
    client = Client(settings.hf_endpoint, token, limits, policy=policy, proxies=settings.proxies)
    stack.push_async_callback(client.close)
    wire = Wire(
        endpoint=settings.hf_endpoint,
        token=token,
        limits=limits,
        throttle=throttle,
        policy=policy,
        proxies=settings.proxies,
    )
    stack.callback(wire.close)
    hub = Hub(
        client,
        executor,
        endpoint=settings.hf_endpoint,
        mirrors=settings.mirror_list,
        offline=settings.hf_hub_offline,
        limits=limits,
        refresh_token=token.refresh,
    )
    staging = Staging(store.staging, replica)
    return Equipment(Workshop(store, staging, hub, wire, executor), token, client)
