"""Which device torch is to use, and with how many threads."""

import logging

import torch

from sirene_inference.backends import Device

log = logging.getLogger(__name__)


def prepare(device: Device, threads: int) -> torch.device:
    """The device that will really be used."""
    torch.set_num_threads(max(1, threads))
    if device != "cpu" and torch.cuda.is_available():
        return torch.device("cuda")
    if device == "cuda":
        log.warning("torch finds no GPU that it can use: the model runs on the CPU")
    return torch.device("cpu")
