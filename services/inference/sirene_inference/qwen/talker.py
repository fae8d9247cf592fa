"""The talker and its predictor: from a prompt to the codes of frame after frame."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from sirene_inference.embedding import Embedding
from sirene_inference.qwen.config import PredictorConfig, TalkerConfig
from sirene_inference.qwen.transformer import Transformer


class TalkerModel(Transformer):
    def __init__(self, config: TalkerConfig) -> None:
        super().__init__(config)
        self.codec_embedding = Embedding(config.vocab_size, config.hidden_size)
        self.text_embedding = Embedding(config.text_vocab_size, config.text_hidden_size)


class PredictorModel(Transformer):
    def __init__(self, config: PredictorConfig, width: int) -> None:
        super().__init__(config)
        self.codec_embedding = nn.ModuleList(
            Embedding(config.vocab_size, width) for _ in range(config.num_code_groups - 1)
        )


class Predictor(nn.Module):
    """A frame's other codes, from the talker's state and the first code."""

    def __init__(self, config: PredictorConfig, width: int) -> None:
        """width: the talker's."""
        super().__init__()
        self.model = PredictorModel(config, width)
        self.lm_head = nn.ModuleList(
            nn.Linear(config.hidden_size, config.vocab_size, bias=False)
            for _ in range(config.num_code_groups - 1)
        )
        self.small_to_mtp_projection: nn.Module = nn.Identity()
        if config.hidden_size != width:
            self.small_to_mtp_projection = nn.Linear(width, config.hidden_size)


class TextProjection(nn.Module):
    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.linear_fc1 = nn.Linear(width, width)
        self.linear_fc2 = nn.Linear(width, out)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.linear_fc2(functional.silu(self.linear_fc1(x)))
        return out


class Talker(nn.Module):
    def __init__(self, config: TalkerConfig) -> None:
        super().__init__()
        self.config = config
        self.model = TalkerModel(config)
        self.text_projection = TextProjection(config.text_hidden_size, config.hidden_size)
        self.codec_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.code_predictor = Predictor(config.code_predictor_config, config.hidden_size)

    @property
    def device(self) -> torch.device:
        return self.codec_head.weight.device

    def text(self, ids: list[int]) -> Tensor:
        """Text tokens as the talker takes them: (1, tokens, width)."""
        words: Tensor = self.model.text_embedding(torch.tensor([ids], device=self.device))
        out: Tensor = self.text_projection(words.to(self.codec_head.weight.dtype))
        return out

    def codec(self, ids: list[int]) -> Tensor:
        """Codes and control codes of the first codebook: (1, codes, width)."""
        out: Tensor = self.model.codec_embedding(torch.tensor([ids], device=self.device))
        return out

    def frames(self, codes: Tensor) -> Tensor:
        """codes: (frames, groups) -> what each frame tells the talker: (1, frames, width)."""
        summed: Tensor = self.model.codec_embedding(codes[:, 0])
        for group, embedding in enumerate(self.code_predictor.model.codec_embedding, start=1):
            summed = summed + embedding(codes[:, group])
        return summed[None]
