"""The speaker encoder, an ECAPA-TDNN (arXiv 2005.07143): a clip into one vector, the voice."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from sirene_inference import mel
from sirene_inference.qwen.config import SpeakerConfig

FFT, HOP, TOP_HZ = 1024, 256, 12_000.0


def _conv(channels: int, out: int, kernel: int = 1, dilation: int = 1) -> nn.Conv1d:
    return nn.Conv1d(
        channels, out, kernel, dilation=dilation, padding="same", padding_mode="reflect"
    )


class TimeDelay(nn.Module):
    def __init__(self, channels: int, out: int, kernel: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv = _conv(channels, out, kernel, dilation)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.conv(x))


class Res2Net(nn.Module):
    def __init__(self, channels: int, scale: int, kernel: int, dilation: int) -> None:
        super().__init__()
        width = channels // scale
        self.blocks = nn.ModuleList(
            TimeDelay(width, width, kernel, dilation) for _ in range(scale - 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        first, *rest = x.chunk(len(self.blocks) + 1, dim=1)
        parts = [first]
        for index, (block, part) in enumerate(zip(self.blocks, rest, strict=True)):
            parts.append(block(part + parts[-1] if index else part))
        return torch.cat(parts, dim=1)


class SqueezeExcitation(nn.Module):
    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = _conv(channels, inner), _conv(inner, channels)

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(dim=2, keepdim=True)
        return x * torch.sigmoid(self.conv2(functional.relu(self.conv1(mean))))


class Block(nn.Module):
    def __init__(
        self, channels: int, out: int, kernel: int, dilation: int, config: SpeakerConfig
    ) -> None:
        super().__init__()
        self.tdnn1 = TimeDelay(channels, out)
        self.res2net_block = Res2Net(out, config.enc_res2net_scale, kernel, dilation)
        self.tdnn2 = TimeDelay(out, out)
        self.se_block = SqueezeExcitation(out, config.enc_se_channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.se_block(self.tdnn2(self.res2net_block(self.tdnn1(x))))
        return out


class AttentivePooling(nn.Module):
    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.tdnn = TimeDelay(3 * channels, inner)
        self.conv = _conv(inner, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(1, channels, frames) -> (1, 2 · channels, 1)"""
        even = x.new_full((1, 1, x.shape[2]), 1 / x.shape[2])
        mean, deviation = _statistics(x, even)
        around = torch.cat((x, mean.expand_as(x), deviation.expand_as(x)), dim=1)
        weights = self.conv(torch.tanh(self.tdnn(around))).softmax(dim=2)
        return torch.cat(_statistics(x, weights), dim=1)


def _statistics(x: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    mean = (weights * x).sum(dim=2, keepdim=True)
    variance = (weights * (x - mean).square()).sum(dim=2, keepdim=True)
    return mean, variance.clamp(min=1e-12).sqrt()


class SpeakerEncoder(nn.Module):
    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        self._config = config
        channels = (config.mel_dim, *config.enc_channels)
        kernels, dilations = config.enc_kernel_sizes, config.enc_dilations
        shapes = list(zip(channels[:-1], channels[1:], kernels, dilations, strict=True))
        blocks: list[nn.Module] = [TimeDelay(*shapes[0])]
        blocks += [Block(*shape, config) for shape in shapes[1:-1]]
        self.blocks = nn.ModuleList(blocks)
        last = config.enc_channels[-1]
        self.mfa = TimeDelay(last, last, config.enc_kernel_sizes[-1], config.enc_dilations[-1])
        self.asp = AttentivePooling(last, config.enc_attention_channels)
        self.fc = _conv(2 * last, config.enc_dim)

    @torch.inference_mode()
    def forward(self, samples: Tensor) -> Tensor:
        """(samples,) float32, at the config's rate -> (enc_dim,)"""
        x = self._spectrogram(samples).to(self.fc.weight.dtype)[None]
        heard = []
        for block in self.blocks:
            x = block(x)
            heard.append(x)
        out: Tensor = self.fc(self.asp(self.mfa(torch.cat(heard[1:], dim=1))))
        return out[0, :, 0]

    def _spectrogram(self, samples: Tensor) -> Tensor:
        """(mels, frames)"""
        edge = (FFT - HOP) // 2
        padded = functional.pad(samples[None], (edge, edge), mode="reflect")[0]
        spectrum = mel.magnitudes(padded, size=FFT, hop=HOP, center=False)
        spectrum = (spectrum.square() + 1e-9).sqrt()
        config = self._config
        filters = mel.slaney_filters(FFT // 2 + 1, config.mel_dim, config.sample_rate, TOP_HZ)
        return (filters.T.to(samples.device) @ spectrum).clamp(min=1e-5).log()
