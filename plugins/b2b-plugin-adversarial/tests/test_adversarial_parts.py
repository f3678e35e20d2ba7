"""Pyramids, curriculum, augmentation, D's watch and the held-out judge."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate, gaussian_filter
from torch import Tensor, nn

from b2b_core.data.pairs import LoadedPair, PairSet
from b2b_core.data.pictures import PictureSet, TrainingPicture
from b2b_core.specs import SizeRule
from b2b_core.synthesis.known import KnownBlur
from b2b_core.synthesis.sources import CodeBlur
from b2b_core.training.precision import Numerics
from b2b_plugin_adversarial.augmentation import Augmentation
from b2b_plugin_adversarial.config import AugmentationConfig, CurriculumConfig
from b2b_plugin_adversarial.curriculum import Curriculum, laplacian_variance
from b2b_plugin_adversarial.heldout import HeldOut, pooled_psnr
from b2b_plugin_adversarial.pyramid import level_sizes, pyramid, translated_pyramid
from b2b_plugin_adversarial.watch import Watch


def picture(pixels: np.ndarray, name: str) -> TrainingPicture:
    """Return 8-bit pixels `(3, H, W)` as a picture."""
    levels = torch.from_numpy((pixels.clip(0, 1) * 255).round().astype(np.uint8))
    return TrainingPicture(Path(f"{name}.png"), name, levels)


def blurred_set(sigmas: list[float]) -> PictureSet:
    """Return one picture under blurs of several widths."""
    sharp = np.random.default_rng(0).random((3, 48, 48))
    return PictureSet(
        [picture(gaussian_filter(sharp, (0, s, s)), str(s)) for s in sigmas], "blurry"
    )


class FakeRun:
    """Collects warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        """Keep the message."""
        self.warnings.append(message)


def test_laplacian_variance_agrees_with_scipy() -> None:
    """The measure is the variance of the 5-point Laplacian inside the picture."""
    (one,) = blurred_set([0.7])
    kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    grey = one.pixels.double().mean(0).numpy() / 255
    expected = correlate(grey, kernel)[1:-1, 1:-1].var(ddof=1)
    assert laplacian_variance(one.pixels / 255) == pytest.approx(expected, rel=1e-4)


def test_curriculum_begins_with_the_least_blurry() -> None:
    """Half of B at first, by the variance of the Laplacian, then more and more of it."""
    pictures = blurred_set([2.0, 0.5, 3.0, 1.0])
    curriculum = Curriculum(pictures, CurriculumConfig(start=0.5, hold=10, grow=20))
    assert set(curriculum.among(0)) == {1, 3}
    assert set(curriculum.among(10)) == {1, 3}
    assert set(curriculum.among(20)) == {1, 3, 0}
    assert set(curriculum.among(30)) == set(curriculum.among(999)) == {0, 1, 2, 3}


def test_curriculum_of_a_batch_keeps_its_least_blurry_crops() -> None:
    """The paper's: every picture may be drawn, half of a batch is learned from, later all."""
    config = CurriculumConfig(of="batch", start=0.5, hold=10, grow=20)
    pictures = blurred_set([2.0, 0.5, 3.0, 1.0])
    curriculum = Curriculum(pictures, config)
    crops = torch.stack([picture.pixels / 255 for picture in pictures])
    for step, expected in ((0, [1, 3]), (10, [1, 3]), (20, [1, 3, 0]), (30, [0, 1, 2, 3])):
        assert set(curriculum.among(step)) == {0, 1, 2, 3}
        assert torch.equal(curriculum.kept(crops, step), crops[expected])
    assert len(curriculum.kept(crops[:1], 0)) == 1
    by_set = Curriculum(pictures, CurriculumConfig(start=0.5, hold=10, grow=20))
    assert by_set.kept(crops, 0) is crops


def test_no_curriculum_uses_all() -> None:
    """With a start of 1 all pictures are in use at once; hold without growth is a switch."""
    pictures = blurred_set([2.0, 0.5])
    assert set(Curriculum(pictures, CurriculumConfig()).among(0)) == {0, 1}
    switch = Curriculum(pictures, CurriculumConfig(start=0.1, hold=5))
    assert [len(switch.among(step)) for step in (0, 4, 5)] == [1, 1, 2]


@pytest.mark.parametrize("how", ["area", "bilinear"])
def test_pyramid_keeps_means_and_the_full_scale(how: str) -> None:
    """Levels have the sizes asked for; area is the mean over areas; full scale is untouched."""
    image = torch.rand(2, 3, 16, 16)
    small, full = pyramid(image, [(4, 4), (16, 16)], how)  # type: ignore[arg-type]
    assert full is image
    assert small.shape == (2, 3, 4, 4)
    if how == "area":
        expected = image.reshape(2, 3, 4, 4, 4, 4).mean((3, 5))
        assert torch.allclose(small, expected, atol=1e-6)


def test_sizes_of_levels() -> None:
    """Without scales they are G's; with scales they are those, of its last output."""
    outputs = [torch.zeros(1, 3, 8, 12), torch.zeros(1, 3, 16, 24)]
    assert level_sizes(outputs, ()) == [(8, 12), (16, 24)]
    assert level_sizes(outputs, (1.0, 0.25)) == [(4, 6), (16, 24)]
    assert level_sizes(outputs, (0.5,)) == [(8, 12)]


def test_own_levels_are_kept_and_missing_ones_made() -> None:
    """G's own output of a size is used if wanted; others come from its last one."""
    outputs = [torch.rand(1, 3, 8, 8), torch.rand(1, 3, 16, 16)]
    sizes = [(4, 4), (8, 8), (16, 16)]
    own = translated_pyramid(outputs, sizes, "area", own=True)
    assert own[1] is outputs[0]
    assert own[2] is outputs[1]
    made = translated_pyramid(outputs, sizes, "area", own=False)
    assert all(
        torch.equal(a, b) for a, b in zip(made, pyramid(outputs[1], sizes, "area"), strict=True)
    )


def test_flips_and_turns_move_pixels_only() -> None:
    """Without jitter every crop is one of the eight symmetries of the original."""
    crops = torch.rand(16, 3, 12, 12)
    torch.manual_seed(0)
    changed = Augmentation(AugmentationConfig(jitter=0.0))(crops)
    which = set()
    for before, after in zip(crops, changed, strict=True):
        versions = [
            flip.rot90(turn, (-2, -1)) for flip in (before, before.flip(-1)) for turn in range(4)
        ]
        errors = [float((version - after).abs().max()) for version in versions]
        assert min(errors) < 1e-4
        which.add(int(np.argmin(errors)))
    assert len(which) > 4


def test_jitter_changes_colours_each_crop_on_its_own() -> None:
    """Colours change by different amounts, stay in range, and repeat with torch's seed."""
    crops = torch.full((8, 3, 4, 4), 0.5)
    jitter = Augmentation(AugmentationConfig(flip=False, rotate=False, jitter=0.2))
    torch.manual_seed(1)
    changed = jitter(crops)
    assert len({round(float(crop.mean()), 4) for crop in changed}) > 4
    assert (changed - 0.5).abs().max() < 0.2
    torch.manual_seed(1)
    assert torch.equal(jitter(crops), changed)


def test_no_augmentation_is_the_identity() -> None:
    """All off: crops come back as they are."""
    crops = torch.rand(2, 3, 4, 4)
    off = Augmentation(AugmentationConfig(flip=False, rotate=False, jitter=0.0))
    assert torch.equal(off(crops), crops)


def test_watch_measures_accuracy() -> None:
    """Accuracy is the share of logits on the right side, real above zero and fake below."""
    watch = Watch(4000, 0)
    real, fake = [torch.tensor([1.0, -1.0, 2.0, 3.0])], [torch.tensor([-1.0, -5.0, 1.0, 1.0])]
    watch.update(real, fake)
    assert watch.accuracy == pytest.approx((0.75 + 0.5) / 2)
    assert watch.sure == pytest.approx((0 + 0.25) / 2)


@pytest.mark.parametrize(
    ("logit", "word"), [(8.0, "the discriminator wins"), (0.0, "the discriminator is blind")]
)
def test_watch_warns_in_plain_words(logit: float, word: str) -> None:
    """A D that always wins, and one that never saw a difference, are named; a fair one is not."""
    watch, run = Watch(4000, 0), FakeRun()
    rng = torch.Generator().manual_seed(0)
    for step in range(600):
        noise = torch.randn(2, 8, 8, generator=rng)
        watch.update([noise[:1] + logit], [noise[1:] - logit])
        if step < 150:
            watch.warn(run, step)  # type: ignore[arg-type]
    assert run.warnings == []
    watch.warn(run, 600)  # type: ignore[arg-type]
    assert [message[: len(word)] for message in run.warnings] == [word]


def test_watch_is_content_with_a_fair_game() -> None:
    """D that saw a difference and is now balanced gives no warning; its state travels."""
    watch, run = Watch(4000, 0), FakeRun()
    rng = torch.Generator().manual_seed(0)
    for step in range(600):
        noise = torch.randn(2, 8, 8, generator=rng)
        shift = 1.0 if step < 200 else 0.0
        watch.update([noise[:1] + shift], [noise[1:] - shift])
    watch.warn(run, 600)  # type: ignore[arg-type]
    assert run.warnings == []
    other = Watch(4000, 0)
    other.load_state_dict(watch.state_dict())
    assert other.state_dict() == watch.state_dict()


class Shift(nn.Module):
    """A translator that brightens one channel by some levels."""

    def __init__(self, levels: float) -> None:
        super().__init__()
        self.levels = levels

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return one level."""
        shift = torch.tensor([self.levels / 255, 0, 0]).view(1, 3, 1, 1)
        return [image + shift]


class NoBlur(nn.Module):
    """An extractor without blur."""

    def extract(self, sharp: Tensor, blurry: Tensor) -> object:
        """Return an empty code."""
        from b2b_core.contracts import BlurCode

        return BlurCode(blurry[:, :1, :1, :1] * 0 * sharp[:, :1, :1, :1])

    def reblur(self, sharp: Tensor, code: Tensor) -> Tensor:
        """Change nothing."""
        return sharp + 0 * code


class FakeJob:
    """What the judge reads of a job."""

    def __init__(self) -> None:
        self.crop = 32
        self.held_blurry = blurred_set([2.0, 1.0])
        self.held_sharp = blurred_set([0.5])
        self.deblurrer = type("Part", (), {"module": nn.Identity()})
        self.run = type("Run", (), {"numerics": Numerics("cpu", "float32"), "seed": 1})


@pytest.fixture
def judge() -> HeldOut:
    """Return a judge of toy pictures with a deblurrer that does nothing."""
    sharp = blurred_set([0.5])[0].pixels
    pairs = PairSet([LoadedPair(sharp, sharp, "a")], "toy")
    known = KnownBlur(CodeBlur(NoBlur(), pairs, 1, 32, SizeRule()), 1)  # type: ignore[arg-type]
    return HeldOut(FakeJob(), known)  # type: ignore[arg-type]


def test_identity_is_named(judge: HeldOut) -> None:
    """A translator that changes nothing is warned of once training is under way."""
    run = FakeRun()
    numbers = judge.measure(Shift(0), run, begun=False)  # type: ignore[arg-type]
    assert run.warnings == []
    assert numbers["moved"] == pytest.approx(0, abs=1e-4)
    assert numbers["sharper"] == pytest.approx(0, abs=1e-6)
    assert numbers["known_loss"] == pytest.approx(0, abs=1e-6)
    judge.measure(Shift(0), run, begun=True)  # type: ignore[arg-type]
    assert ["still the identity" in message for message in run.warnings] == [True]


def test_drifting_colours_are_named(judge: HeldOut) -> None:
    """Red brighter by 15 levels is a drift of 5 on average and is warned of.

    The toy's known blur is none, so that any change breaks its pictures.
    """
    run = FakeRun()
    numbers = judge.measure(Shift(15), run, begun=True)  # type: ignore[arg-type]
    assert numbers["colour_drift"] == pytest.approx(5, rel=0.1)
    assert numbers["brightness_drift"] == pytest.approx(0.299 * 15, rel=0.1)
    assert numbers["known_loss"] > 2
    broken, drift = run.warnings
    assert "breaks pictures" in broken
    assert "drift by" in drift


def test_flat_crops_do_not_decide() -> None:
    """An edge that comes out much better outweighs a flat crop that comes out a little worse."""
    references = torch.full((2, 3, 8, 8), 0.5)
    before, after = references.clone(), references.clone()
    before[0] += 0.2
    after[0] += 0.1
    before[1] += 0.001
    after[1] += 0.004
    # by hand: (0.04 + 1e-6) / 2 and (0.01 + 1.6e-5) / 2; means over crops: 36.99 and 33.98
    assert pooled_psnr(before, references) == pytest.approx(16.9896, abs=1e-3)
    assert pooled_psnr(after, references) == pytest.approx(23.0034, abs=1e-3)
    assert pooled_psnr(references, references) == 99


def test_a_deblurrer_of_another_domain_is_named(judge: HeldOut) -> None:
    """If the deblurrer makes pictures of known blur worse, that is said before training."""
    run = FakeRun()
    judge.warn_of_known_blur(run)  # type: ignore[arg-type]
    assert run.warnings == []
    judge._alone_psnr -= 5
    judge.warn_of_known_blur(run)  # type: ignore[arg-type]
    assert ["makes known-blur pictures worse" in message for message in run.warnings] == [True]
