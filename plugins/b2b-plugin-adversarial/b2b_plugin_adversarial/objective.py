"""The paper's objective, Eq. 3-7, put together from loss components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue
    from b2b_core.contracts import Discriminator, FeatureExtractor
    from b2b_core.training.precision import Numerics
    from b2b_plugin_adversarial.config import AdversarialConfig

#: Side of the areas over which colours are compared, in pixels, and of those of the anchor.
_COLOUR_AREA, _ANCHOR_AREA = 16, 8
#: Unit of the anchor's differences.
_PERCENT = 0.01


class Objective:
    """What D and G minimise.

    Args:
        catalogue: builds the loss components.
        discriminator: D.
        features: of the reconstruction; None if its weight is zero.
        config: weights.
        numerics: number format.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        discriminator: Discriminator,
        features: FeatureExtractor | None,
        config: AdversarialConfig,
        numerics: Numerics,
    ) -> None:
        penalty = config.penalty
        self._gan = catalogue.build("loss", config.gan, config.gan_options)
        self._slope = catalogue.build(
            "loss", "gradient-penalty", {"target": penalty.target, "reduction": penalty.reduction}
        )
        self._perceptual = catalogue.build("loss", "perceptual", {})
        self._charbonnier = catalogue.build("loss", "charbonnier", {})
        self._discriminator = discriminator
        self._features = features
        self._config = config
        self._numerics = numerics

    def judge(self, levels: Sequence[Tensor]) -> list[Tensor]:
        """Return D's logits; its inputs carry a little noise, to hide cues smaller than blur."""
        with self._numerics.autocast():
            return [logits.float() for logits in self._discriminator(self._noisy(levels))]

    def for_discriminator(self, real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
        """Return D's part of the game (Eq. 3 negated, a mean over levels) from its logits."""
        terms = [
            self._gan({"real": known, "fake": made})["discriminator"]
            for known, made in zip(real, fake, strict=True)
        ]
        return self._config.discriminator_weight * _mean(terms)

    def for_translator(self, fake: Sequence[Tensor]) -> Tensor:
        """Return G's part of the game, a mean over levels, from D's logits."""
        return _mean([self._gan({"fake": made})["generator"] for made in fake])

    def penalty(
        self, blurry: Sequence[Tensor], known: Sequence[Tensor], translated: Sequence[Tensor]
    ) -> Tensor:
        """Return the penalty on D's slope (Eq. 4), a mean over levels; in float32."""
        config = self._config.penalty
        if config.where == "real":
            inputs = [level.detach().clone() for level in known]
        else:
            ends = blurry if config.where == "blurry-translated" else known
            share = torch.rand(len(ends[0]), 1, 1, 1).to(ends[0].device)
            inputs = [
                (share * end + (1 - share) * made).detach()
                for end, made in zip(ends, translated, strict=True)
            ]
        inputs = [level.float().requires_grad_() for level in inputs]
        judged = list(zip(inputs, self._discriminator(inputs), strict=True))
        chosen = judged if config.levels == "all" else judged[-1:]
        return _mean(
            [self._slope({"inputs": level, "logits": seen})["penalty"] for level, seen in chosen]
        )

    def reconstruction(self, blurry: Sequence[Tensor], translated: Sequence[Tensor]) -> Tensor:
        """Return the distance of y and G(y) in features (Eq. 5), a mean over levels."""
        if self._features is None:
            return blurry[0].new_zeros(())
        terms: list[Tensor] = []
        for source, made in zip(blurry, translated, strict=True):
            with self._numerics.autocast():
                with torch.no_grad():
                    wanted = self._features(source)
                found = self._features(made)
            maps = [
                self._perceptual({"output": one, "target": other})["perceptual"]
                for one, other in zip(found, wanted, strict=True)
            ]
            terms.append(torch.stack(maps).sum())
        return _mean(terms)

    def likeness(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the distance of two pictures."""
        return self._charbonnier({"output": output, "target": target})["charbonnier"]

    def colour(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the distance of the colours of two pictures, averaged over areas."""
        area = min(_COLOUR_AREA, *output.shape[-2:])
        return (F.avg_pool2d(output, area) - F.avg_pool2d(target, area)).abs().mean()

    def anchor(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the weighted squares of coarse and of finest differences, in per cent."""
        weights = self._config.anchor
        change = (output - target) / _PERCENT
        coarse = F.avg_pool2d(change, min(_ANCHOR_AREA, *change.shape[-2:]))
        blocks = F.interpolate(F.avg_pool2d(change, 2), scale_factor=2)
        height, width = blocks.shape[-2:]  # an odd last row or column is left out
        fine = change[..., :height, :width] - blocks
        return weights.coarse * coarse.square().mean() + weights.fine * fine.square().mean()

    def _noisy(self, levels: Sequence[Tensor]) -> list[Tensor]:
        sigma = self._config.input_noise
        if not sigma:
            return list(levels)
        return [level + sigma * torch.randn_like(level) for level in levels]


def _mean(terms: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(terms)).mean()
