"""Level 2 of the kit on networks from pictures: each check is failed by what breaks just that."""

from __future__ import annotations

import pytest
import torch
from attrs import evolve
from torch import nn
from torch.nn import functional as F

from b2b_core.specs import DeblurrerSpec, DiscriminatorSpec, SizeRule, TranslatorSpec
from b2b_core.testing import toys
from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.run import component_items, results
from tests.level_two import COMMON, made, only, sound

TRANSLATOR = TranslatorSpec(
    **COMMON, factory=lambda _: toys.Translator(), size=SizeRule(multiple_of=4)
)
DEBLURRER = DeblurrerSpec(**COMMON, factory=lambda _: toys.Deblurrer())
DISCRIMINATOR = DiscriminatorSpec(**COMMON, factory=lambda _: toys.Discriminator())


class Deblurrer(toys.Deblurrer):
    """A good deblurrer, to be changed behind or before its convolution."""

    def __init__(self, after=lambda made: made, before=lambda image: image):
        super().__init__()
        self.after, self.before = after, before

    def forward(self, image):
        return self.after(super().forward(self.before(image)))


def deblurrer(**changes):
    """Return a factory of a changed deblurrer."""
    return lambda _: Deblurrer(**changes)


class Halving(toys.Deblurrer):
    """Takes even sizes of 8 pixels and more."""

    def forward(self, image):
        if min(image.shape[-2:]) < 8 or any(side % 2 for side in image.shape[-2:]):
            raise ValueError("sizes must be even, 8 at least")
        return super().forward(image)


class Shrinking(toys.Deblurrer):
    """Loses odd rows and columns without a word."""

    def forward(self, image):
        return F.interpolate(F.avg_pool2d(super().forward(image), 2), scale_factor=2)


class TwoLevels(toys.Translator):
    """Says three levels and gives two."""

    def forward(self, image):
        return super().forward(image)[1:]


class SharedStatistics(toys.Deblurrer):
    """Subtracts what the batch has in common."""

    def forward(self, image):
        return super().forward(image) - image.mean()


class Noisy(toys.Deblurrer):
    """Adds a little noise in eval mode, too."""

    def forward(self, image):
        return super().forward(image) + 1e-6 * torch.randn_like(image)


class Unused(toys.Deblurrer):
    """Has a layer that nothing goes through."""

    def __init__(self):
        super().__init__()
        self.spare = nn.Conv2d(3, 3, 1)


class Steep(toys.Deblurrer):
    """Takes a root at zero, whose slope is infinite."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.rand(1))

    def forward(self, image):
        return super().forward(image) + (self.scale - self.scale).sqrt()


class Unsure(toys.Deblurrer):
    """Divides a small by a small number, which bfloat16 cannot tell from another."""

    def forward(self, image):
        half = (
            image.to(torch.get_autocast_dtype("cpu")) if torch.is_autocast_enabled("cpu") else image
        )
        return super().forward(image) + ((half + 256).float() - image - 256)


class Overflowing(toys.Deblurrer):
    """Leaves the range of numbers under autocast."""

    def forward(self, image):
        return super().forward(image) + (torch.inf if torch.is_autocast_enabled("cpu") else 0)


class Cropping(toys.Deblurrer):
    """Loses a row where the layout is another one."""

    def forward(self, image):
        made = super().forward(image)
        return made if image.is_contiguous() else made[..., 1:, :]


class Strided(toys.Deblurrer):
    """Reads memory as it lies."""

    def forward(self, image):
        made = super().forward(image)
        if made.is_contiguous():
            return made
        return made.as_strided(made.shape, torch.empty(made.shape).stride())


class Cut(toys.Deblurrer):
    """Lets no gradient through to the picture."""

    def forward(self, image):
        return super().forward(image.detach())


class MoreMaps(toys.Discriminator):
    """Gives the finest level twice."""

    def forward(self, pyramid):
        return super().forward([*pyramid, pyramid[-1]])


class OneNumber(toys.Discriminator):
    """Gives one number per picture."""

    def forward(self, pyramid):
        return [logits.mean((1, 2, 3)) for logits in super().forward(pyramid)]


#: Check, good spec, factory or other change, part of the message, part of the mend.
BROKEN = [
    ("output-sizes", DEBLURRER, lambda _: Halving(), "at 1x1", "multiple_of=2, minimum=8"),
    ("output-sizes", DEBLURRER, lambda _: Shrinking(), "at 1x1", "multiple_of=2)"),
    ("output-sizes", TRANSLATOR, lambda _: TwoLevels(), "2 levels come out", "size=SizeRule"),
    ("output-sizes", TRANSLATOR, {"size": SizeRule()}, "at 1x1", "multiple_of=4)"),
    ("output-sizes", TRANSLATOR, {"scales": (0.5, 1.0)}, "3 levels", "size=SizeRule"),
    ("logits-per-level", DISCRIMINATOR, lambda _: MoreMaps(), "3 levels go in, 4", "in its order"),
    ("logits-per-level", DISCRIMINATOR, lambda _: OneNumber(), "(2,)", "one map"),
    ("finite-float32", DEBLURRER, deblurrer(after=torch.Tensor.double), "float64", "format"),
    (
        "finite-float32",
        DEBLURRER,
        deblurrer(before=lambda image: image / image.std((1, 2, 3), keepdim=True)),
        "black pictures give NaN",
        "divisions",
    ),
    ("batch-independence", DEBLURRER, lambda _: SharedStatistics(), "beside another", "batch"),
    ("deterministic", DEBLURRER, lambda _: Noisy(), "two different outputs", "dropout"),
    ("gradients", DEBLURRER, lambda _: Unused(), "2 of 4 parameters", "freeze it"),
    ("gradients", DEBLURRER, lambda _: Steep(), "'scale' is NaN or inf", "infinite at zero"),
    ("gradient-of-picture", DEBLURRER, lambda _: Cut(), "missing, zero", "detach"),
    ("bfloat16", DEBLURRER, lambda _: Overflowing(), "NaN or infinity", "enabled=False"),
    ("channels-last", DEBLURRER, lambda _: Cropping(), "in one way", "strides"),
    ("bfloat16", DEBLURRER, lambda _: Unsure(), "something else than float32", "enabled=False"),
    ("channels-last", DEBLURRER, lambda _: Strided(), "something else", "strides"),
]
BREAKS = {check for check, *_ in BROKEN}


@pytest.mark.parametrize("spec", [TRANSLATOR, DEBLURRER, DISCRIMINATOR], ids=lambda s: s.kind)
def test_good_networks_pass(spec):
    """The networks that are broken below are all right before."""
    sound(spec)


@pytest.mark.parametrize(("check", "spec", "wrong", "what", "mend"), BROKEN)
def test_networks_are_checked(check, spec, wrong, what, mend):
    """One fault of a network fails one check, which says where and how to mend it."""
    changes = wrong if isinstance(wrong, dict) else {"factory": wrong}
    only(evolve(spec, **changes), check, what, mend)


def test_outputs_of_a_wrong_type_are_named():
    """A tensor where a list should be, and a list where a tensor should be."""
    single = made(evolve(TRANSLATOR, factory=lambda _: toys.Deblurrer()))
    assert "returns Tensor, not a list of tensors" in single["output-sizes"].what
    several = made(evolve(DISCRIMINATOR, factory=lambda _: lambda _levels: [1.0]))
    assert several["logits-per-level"].status == "skipped"


def test_parameters_at_zero_are_put_to_work():
    """A network that starts as the identity shows its faults all the same."""

    class Asleep(SharedStatistics):
        def __init__(self):
            super().__init__()
            self.gate = nn.Parameter(torch.zeros(1))

        def forward(self, image):
            return image + self.gate * super().forward(image)

    found = made(evolve(DEBLURRER, factory=lambda _: Asleep()))
    assert [name for name, result in found.items() if result.bad] == ["batch-independence"]


def test_an_expected_failure_is_strict():
    """It passes as expected while it fails, and is an error once it passes."""
    reason = "kept for published weights"
    declared = {"gradients": reason}
    unused = evolve(DEBLURRER, factory=lambda _: Unused(), expected_failures=declared)
    expected = made(unused)["gradients"]
    assert (expected.status, expected.reason, expected.bad) == ("expected-failure", reason, False)
    surprise = made(evolve(DEBLURRER, expected_failures=declared))["gradients"]
    assert (surprise.status, surprise.bad) == ("unexpected-pass", True)
    assert reason in surprise.what
    assert "remove 'gradients'" in surprise.mend


def test_memory_is_freed_between_components():
    """What was built of one component is dropped when the next one begins."""
    cases = [ComponentCase(spec, "acme") for spec in (DEBLURRER, TRANSLATOR)]
    todo = [item for case in cases for item in component_items(case, (1, 2))]
    seen = [(result.kind, len(cases[0]._builds)) for result in results(todo)]
    assert max(count for kind, count in seen if kind == "deblurrer") > 1
    assert {count for kind, count in seen if kind == "translator"} == {0}
    assert not cases[1]._builds
