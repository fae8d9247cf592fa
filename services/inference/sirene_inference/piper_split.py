"""Where a Piper graph can be cut, so that its decoder runs in windows.

VITS makes latent frames of the whole sentence and then turns them into samples by a HiFi-GAN,
which is convolutional: each sample depends on the frames around it and on no other. All randomness
lies before the cut, so the frames are drawn once, and the windows put together are what the whole
graph would have made of them.
"""

import math
from typing import NamedTuple

from sirene_inference.onnx_cut import Graph, Node

OUTPUT, TEXT, SPEAKER = "output", "input", "sid"
# What may lie between the frames and the samples, besides convolutions: each works on one moment.
MOMENTARY = frozenset(
    {"Add", "Div", "Identity", "LeakyRelu", "Mul", "Sub", "Squeeze", "Tanh", "Unsqueeze"}
)
MOST_OVERLAP_FRAMES = 64


class Split(NamedTuple):
    latent: str
    """The tensor (1, channels, frames) at the cut."""
    hop: int
    """Samples a frame."""
    overlap: int
    """Frames on each side that a sample may depend on."""
    takes_speaker: bool
    encoder: bytes
    decoder: bytes


class _Reach(NamedTuple):
    rate: int
    """Values a frame."""
    frames: float
    """How far it looks to each side."""


class NoSplit(Exception):
    """The graph is none that can be cut; says why."""


def split(body: bytes) -> Split:
    """body: a model that read_model() has checked. Raises: NoSplit."""
    try:
        return _split(Graph(body))
    except (LookupError, ValueError) as error:  # onnxruntime will say more about it
        raise NoSplit("it is malformed") from error


def _split(graph: Graph) -> Split:
    if OUTPUT not in graph.made_by:
        raise NoSplit(f"it has no tensor {OUTPUT!r}")
    latent = _latent(graph)
    decoder = graph.behind([OUTPUT], [latent])
    needed = {name for node in decoder for name in node.needs}
    if foreign := (needed & set(graph.inputs)) - {SPEAKER}:
        raise NoSplit(f"its decoder takes {', '.join(sorted(foreign))}")
    if random := {node.kind for node in decoder if node.kind.startswith(("Random", "Bernoulli"))}:
        raise NoSplit(f"its decoder holds {', '.join(sorted(random))}")
    reach = _reach(graph, decoder, latent)
    overlap = math.ceil(reach.frames)
    if overlap > MOST_OVERLAP_FRAMES:
        raise NoSplit(f"a sample of it depends on {overlap} frames to each side")
    return Split(
        latent,
        reach.rate,
        overlap,
        SPEAKER in needed,
        graph.part(latent),
        graph.part(OUTPUT, latent),
    )


def _latent(graph: Graph) -> str:
    """What the convolution in front of the first upsampling takes."""
    upsampling = [node for node in graph.behind([OUTPUT]) if node.kind == "ConvTranspose"]
    if not upsampling:
        raise NoSplit("it has no ConvTranspose")
    name = upsampling[0].inputs[0]
    while node := graph.made_by.get(name):
        if node.kind == "Conv":
            return node.inputs[0]
        if node.kind not in MOMENTARY:
            raise NoSplit(f"its first ConvTranspose comes after {node.kind}")
        # The speaker's colour is added on the way.
        of_text = [each for each in node.inputs if _depends(graph, each)]
        if len(of_text) != 1:
            raise NoSplit("two branches lead to its first ConvTranspose")
        name = of_text[0]
    raise NoSplit("no convolution leads to its first ConvTranspose")


def _depends(graph: Graph, name: str) -> bool:
    """Whether the text has an influence on the tensor."""
    return name == TEXT or any(TEXT in node.needs for node in graph.behind([name]))


def _reach(graph: Graph, decoder: list[Node], latent: str) -> _Reach:
    """Of the output. What does not depend on the latent is the same at every moment."""
    reaches = {latent: _Reach(1, 0.0)}
    for node in decoder:
        over = [reaches[name] for name in node.inputs if name in reaches]
        if not over:
            if any(name in reaches for name in node.needs):
                raise NoSplit(f"its decoder has a {node.kind} with a graph inside")
            continue
        rate, frames = over[0].rate, max(each.frames for each in over)
        if any(each.rate != rate for each in over):
            raise NoSplit("its decoder joins tensors of different rates")
        if node.kind in ("Conv", "ConvTranspose"):
            if node.inputs[0] not in reaches or len(over) > 1:
                raise NoSplit("its decoder has a convolution by what it makes itself")
            made = _convolved(graph, node, rate, frames)
        elif node.kind in MOMENTARY:
            made = _Reach(rate, frames)
        else:
            raise NoSplit(f"its decoder holds {node.kind}")
        reaches |= dict.fromkeys(node.outputs, made)
    return reaches[OUTPUT]


def _convolved(graph: Graph, node: Node, rate: int, frames: float) -> _Reach:
    kernel = node.integers("kernel_shape")
    if kernel is None and node.inputs[1] in graph.weights:
        kernel = graph.shape(node.inputs[1])[2:]
    (width, *others) = kernel or (0, 0)  # several: not along time alone
    (dilation, *_) = node.integers("dilations") or (1,)
    (stride, *_) = node.integers("strides") or (1,)
    before, after = (node.integers("pads") or (0, 0))[:2]
    is_plain = not others and before == after and node.text("auto_pad") in ("", "NOTSET")
    if node.kind == "Conv":
        if is_plain and stride == 1 and 2 * before == (width - 1) * dilation:
            return _Reach(rate, frames + before / rate)
    elif (
        is_plain
        and dilation == 1
        and stride > 0
        and width - 2 * before == stride
        and not any(node.integers("output_padding") or ())
    ):
        return _Reach(rate * stride, frames + width / stride / rate)
    raise NoSplit(f"its decoder has a {node.kind} that moves or drops samples")
