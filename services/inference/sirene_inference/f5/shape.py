"""How large an F5-TTS network is."""

from typing import NamedTuple

from sirene_inference.weights import Weights

# No tensor tells it: it is the same in every published checkpoint.
HEAD_DIM = 64


class Shape(NamedTuple):
    width: int
    depth: int
    heads: int
    inner: int
    mels: int
    text_width: int
    text_depth: int
    text_inner: int
    symbols: int


def shape_of(weights: Weights) -> Shape:
    """The sizes, from the tensors: the published files hold no configuration.

    Raises: ModelDamaged.
    """
    mels, width = weights.shape("proj_out.weight")
    symbols, text_width = weights.shape("text_embed.text_embed.weight")
    return Shape(
        width=width,
        depth=_count(weights, "transformer_blocks."),
        heads=weights.shape("transformer_blocks.0.attn.to_q.weight")[0] // HEAD_DIM,
        inner=weights.shape("transformer_blocks.0.ff.ff.0.0.weight")[0],
        mels=mels,
        text_width=text_width,
        text_depth=_count(weights, "text_embed.text_blocks."),
        text_inner=weights.shape("text_embed.text_blocks.0.pwconv1.weight")[0],
        symbols=symbols,
    )


def _count(weights: Weights, prefix: str) -> int:
    return len({name.split(".", 1)[0] for name in weights.under(prefix).tensors})
