"""Level 2 of the kit on extractors: maps of features, and codes of blur and draws of them."""

from __future__ import annotations

import pytest
import torch
from attrs import evolve
from torch import nn
from torch.nn import functional as F

from b2b_core.contracts import BlurCode
from b2b_core.specs import FeatureExtractorSpec, KernelExtractorSpec
from b2b_core.testing import toys
from tests.level_two import COMMON, made, only, sound


class Extractor(toys.Extractor):
    """A good extractor with parameters and a deviation."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.rand(1, 3, 1, 1))

    def extract(self, sharp, blurry):
        mean = super().extract(sharp, blurry).mean * self.scale
        return BlurCode(mean, mean.square().add(1e-3).sqrt())


EXTRACTOR = KernelExtractorSpec(**COMMON, factory=lambda _: Extractor())
FEATURES = FeatureExtractorSpec(**COMMON, factory=lambda _: toys.Features())


class Demanding(toys.Features):
    """Needs pictures of 32 pixels."""

    def forward(self, image):
        return [F.conv2d(image, torch.ones(1, 3, 32, 32, device=image.device))]


class Detached(toys.Features):
    """Lets no gradient through, and has no parameters."""

    def forward(self, image):
        return super().forward(image.detach())


class Varying(toys.Features):
    """Gives as many maps as the picture has room for."""

    def forward(self, image):
        return super().forward(image)[: 1 + (image.shape[-1] > 10)]


class Flat(toys.Features):
    """Gives vectors."""

    def forward(self, image):
        return [one.flatten(1) for one in super().forward(image)]


class NegativeDeviation(Extractor):
    """Its deviation may be negative."""

    def extract(self, sharp, blurry):
        code = super().extract(sharp, blurry)
        return BlurCode(code.mean, -code.sigma)


class OtherShape(Extractor):
    """Its deviation has a shape of its own."""

    def extract(self, sharp, blurry):
        code = super().extract(sharp, blurry)
        return BlurCode(code.mean, code.sigma[:, :1])


class OwnCode(Extractor):
    """Returns no BlurCode."""

    def extract(self, sharp, blurry):
        return super().extract(sharp, blurry).mean


class FlatCode(Extractor):
    """Its code is a vector."""

    def extract(self, sharp, blurry):
        return BlurCode(super().extract(sharp, blurry).mean.flatten(1))

    def reblur(self, sharp, code):
        return sharp + code[..., None, None]


class Unseeded(BlurCode):
    """Draws without the generator."""

    def sample(self, _generator=None):
        return self.mean + self.sigma * torch.randn(self.mean.shape)


class Undrawn(BlurCode):
    """Draws nothing."""

    def sample(self, _generator=None):
        return self.mean


def drawing(code_class):
    """Return a factory of extractors whose codes draw in their own way."""

    class Own(Extractor):
        def extract(self, sharp, blurry):
            code = super().extract(sharp, blurry)
            return code_class(code.mean, code.sigma)

    return lambda _: Own()


class Undrawable(Extractor):
    """Takes the codes that it made itself, and no drawn ones."""

    def __init__(self):
        super().__init__()
        self.known = []

    def extract(self, sharp, blurry):
        code = super().extract(sharp, blurry)
        self.known.append(code.mean)
        return code

    def reblur(self, sharp, code):
        if not any(code.equal(one) for one in self.known):
            return sharp[..., 1:, :]
        return super().reblur(sharp, code)


#: Check, good spec, factory, part of the message, part of the mend.
BROKEN = [
    ("maps-of-pictures", FEATURES, lambda _: Demanding(), "RuntimeError", "any size from 8x8"),
    ("maps-of-pictures", FEATURES, lambda _: Flat(), "give a map (2,", "(B, C, h, w)"),
    ("gradient-of-picture", FEATURES, lambda _: Detached(), "does not depend", "detach"),
    ("maps-of-pictures", FEATURES, lambda _: Varying(), "on the size: [1, 2]", "list of maps"),
    ("blur-codes", EXTRACTOR, lambda _: NegativeDeviation(), "negative", "abs()"),
    ("blur-codes", EXTRACTOR, lambda _: OtherShape(), "differ", "BlurCode(mean, sigma)"),
    ("blur-codes", EXTRACTOR, lambda _: FlatCode(), "a code (2, 3)", "maps (B, C, h, w)"),
    ("sampled-codes", EXTRACTOR, drawing(Unseeded), "one seed draws two", "BlurCode.sample"),
    ("sampled-codes", EXTRACTOR, drawing(Undrawn), "two seeds draw one", "BlurCode.sample"),
    ("sampled-codes", EXTRACTOR, lambda _: Undrawable(), "is (2, 3, 63, 48)", "size of `sharp`"),
]
BREAKS = {check for check, *_ in BROKEN}


@pytest.mark.parametrize("spec", [EXTRACTOR, FEATURES], ids=lambda s: s.kind)
def test_good_extractors_pass(spec):
    """The extractors that are broken below are all right before."""
    sound(spec)


@pytest.mark.parametrize(("check", "spec", "wrong", "what", "mend"), BROKEN)
def test_extractors_are_checked(check, spec, wrong, what, mend):
    """One fault of an extractor fails one check, which says where and how to mend it."""
    only(evolve(spec, factory=wrong), check, what, mend)


def test_a_code_of_a_wrong_type_is_named():
    """Every check of an extractor says what extract returns."""
    found = made(evolve(EXTRACTOR, factory=lambda _: OwnCode()))
    assert "extract returns Tensor, not a BlurCode" in found["blur-codes"].what
