"""Whether R went wrong, in plain words: no blur, blur without bounds, or too little explained.

What each warning means and what to do about it: docs/warnings.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from attrs import frozen

from b2b_core.data.crops import CropSampler
from b2b_core.data.seeding import torch_rng
from b2b_core.spectra import SpectrumMatch
from b2b_core.training.run import Run
from b2b_core.training.stage import tenth
from b2b_plugin_reblur.kernels import KernelDistribution

if TYPE_CHECKING:
    from b2b_plugin_reblur.camera import CameraModel

#: Share of the kernels' light that may lie beyond their border.
BEYOND = 0.05
#: Radius of the lens and length of the path, in pixels, below which both are no blur.
RADIUS, LENGTH = 0.5, 1.0
#: Spread of the logarithm of sizes: below, all pictures get one blur; above, the largest size is
#: over a hundred times the smallest.
SAME, WILD = 0.05, 1.33
#: Kernels from which light beyond the border is measured.
DRAWS = 64
#: Energy distance from B, in deviations of S's scenes, that chance may give: two sets of 12 to 20
#: scenes under one blur were 0.1 to 0.5 apart on three cameras of the bench, B and S 1.4 to 5.
CHANCE = 0.5
#: Share of the distance between S and B that R has to explain: kernels that were not fitted at all
#: come to 0.75 to 0.9 on the cameras of the bench, fitted ones to above 0.9.
EXPLAINED = 0.7
NO_BLUR = "no blur was found"
#: What the cue of each part of R's chain shows (`parts.CUES`).
TRACES = {
    "response": "how bright and dark sides of edges differ",
    "highlights": "how lights fall off",
    "noise": "noise",
    "compression": "blocks of compression",
}
#: Crops on which distances are measured.
CROPS, AT_ONCE = 64, 16
#: Steps over which D's loss is averaged, at most.
WINDOW = 100
#: D's loss, 2 ln 2 = 1.39 at chance: below the first it wins, above the second it is blind.
WINS, BLIND = 0.4, 1.3


@frozen
class Explained:
    """Energy distances of S and of R(S) from B."""

    sharp: float
    made: float

    @property
    def share(self) -> float:
        """How much of the distance R covers, 1 at most."""
        return 1 - self.made / max(self.sharp, 1e-6)


def watch_camera(
    run: Run, camera: CameraModel, match: SpectrumMatch, sharp: CropSampler, *, done: bool
) -> None:
    """Warn of kernels that went astray and, once R is done, of what it leaves unexplained.

    Args:
        run: takes the warnings.
        camera: R so far.
        match: spectra of B.
        sharp: crops of S, as large as R takes them.
        done: whether R is fitted to its end.
    """
    found = kernel_findings(camera.kernels)
    if done:
        found += fit_findings(explained(run, camera, match, sharp))
    blurless = [finding for finding in found if finding.startswith(NO_BLUR)]
    for finding in [*blurless[:1], *(other for other in found if other not in blurless)]:
        run.warn(finding)


def kernel_findings(kernels: KernelDistribution) -> list[str]:
    """Return a sentence for each way in which the distribution of kernels makes no sense."""
    with torch.no_grad():
        radius, length = float(kernels.log_radius.exp()), float(kernels.log_length.exp())
        spreads = float(kernels.radius_spread.exp()), float(kernels.length_spread.exp())
    if radius < RADIUS and length < LENGTH:
        return [
            f"{NO_BLUR}: the camera's lens and motion came to {radius:.2f} and "
            f"{length:.2f} pixels. Look whether the pictures given as blurry are blurry, and "
            "blurrier than those given as sharp"
        ]
    found = astray(kernels)
    if max(spreads) < SAME:
        found.append(
            "the camera's blur collapsed to one size for all pictures: right for a lens that is "
            "always equally out of focus, else add blurry pictures of other moments"
        )
    return found


def astray(kernels: KernelDistribution) -> list[str]:
    """Return a sentence for each way in which kernels outgrow all bounds; more steps go further."""
    with torch.no_grad():
        sizes = (
            ("lens", float(kernels.log_radius.exp()), float(kernels.radius_spread.exp())),
            ("motion", float(kernels.log_length.exp()), float(kernels.length_spread.exp())),
        )
    return _beyond_border(kernels) + [
        f"the camera's blur runs away: its {name} varies more than a hundredfold from picture to "
        "picture. Take out blurry pictures of another kind (other cameras, screenshots, scans)"
        for name, size, spread in sizes
        if spread > WILD and size * 2.718 ** (3**0.5 * spread) > 1
    ]


def _beyond_border(kernels: KernelDistribution) -> list[str]:
    share = light_beyond(kernels)
    if share <= BEYOND:
        return []
    return [
        f"the camera's blur is wider than kernels of {kernels.size} pixels, {share:.0%} of its "
        f"light lies beyond them: use --set strategy.camera.kernel={2 * kernels.size - 1}. If it "
        "runs away again, blurry and sharp pictures differ in more than blur"
    ]


@torch.no_grad()
def light_beyond(kernels: KernelDistribution) -> float:
    """Return the share of the kernels' light that lies beyond their border."""
    wide = KernelDistribution(2 * kernels.size + 1).to(kernels.offset.device)
    wide.load_state_dict(kernels.state_dict())
    drawn = wide.sample(DRAWS, torch.Generator().manual_seed(0))
    border = (wide.size - kernels.size) // 2
    inside = drawn[..., border:-border, border:-border].sum((-1, -2))
    return 1 - float(inside.mean())


@torch.no_grad()
def explained(run: Run, camera: CameraModel, match: SpectrumMatch, sharp: CropSampler) -> Explained:
    """Return how far S and R(S) are from B, on crops that are the same at every call."""
    crops = sharp.batch(0, CROPS).to(run.numerics.device)
    draw = torch_rng(run.seed, "watch-camera")
    made = torch.cat([camera(part, draw)[0] for part in torch.split(crops, AT_ONCE)])
    side = made.shape[-1]
    return Explained(float(match(crops[..., :side, :side])), float(match(made)))


def fit_findings(fit: Explained) -> list[str]:
    """Return a sentence if there is no blur to explain, or R explains too little of it."""
    if fit.sharp < CHANCE:
        return [
            f"{NO_BLUR}: blurry and sharp pictures are as far apart ({fit.sharp:.2f}) as "
            "chance may put them. Look whether the pictures given as blurry are blurry"
        ]
    if fit.share >= EXPLAINED or fit.made < CHANCE:
        return []
    return [
        f"the camera's blur model explains {max(0.0, fit.share):.0%} of what tells blurry from "
        f"sharp pictures (their spectra are {fit.sharp:.2f} apart, with the model {fit.made:.2f}): "
        "the two sets are not of one camera, or it does something that the model lacks, such as "
        "sharpening or a pattern. Look at both side by side; what is learned may be wrong"
    ]


def _seen(cues: Mapping[str, float]) -> str:
    """Say what D may be seeing: the cue by which R(S) is farthest from B."""
    part, apart = max(cues.items(), key=lambda cue: cue[1], default=("", 0.0))
    if apart < CHANCE:
        return "It may see what no cue of the model's parts shows, such as colours or brightness"
    return f"It may see {TRACES[part]}: there the two are {apart:.2f} deviations apart"


class GameWatch:
    """D in R's game: whether it keeps winning, or sees nothing of what is left to see.

    Args:
        steps: of the stage; it is judged from a tenth of them on.
    """

    def __init__(self, steps: int) -> None:
        self._losses = deque[float](maxlen=max(1, min(WINDOW, tenth(steps) // 2)))

    def update(self, loss: float) -> None:
        """Take in D's loss of one step."""
        self._losses.append(loss)

    def warn(
        self, run: Run, fit: Callable[[], Explained], cues: Callable[[], Mapping[str, float]]
    ) -> None:
        """Say what is wrong, if anything.

        Args:
            run: takes the warning.
            fit: asked only where D sees nothing: it is at chance as it should be where R(S) and B
                have become alike.
            cues: asked only where D wins: how far R(S) is from B by the cue of each part.
        """
        if len(self._losses) < (self._losses.maxlen or 0):
            return
        mean = sum(self._losses) / len(self._losses)
        if mean < WINS:
            run.warn(
                "the discriminator wins: it keeps telling re-blurred pictures from real ones "
                f"(loss {mean:.2f}, balance is 1.39). {_seen(cues())}. The camera does something "
                "that its blur model lacks, or the blurry and sharp pictures are not of one camera"
            )
        elif mean > BLIND and fit().share < EXPLAINED:
            run.warn(
                f"the discriminator is blind: it sees no difference (loss {mean:.2f}, chance is "
                "1.39) where spectra show one, so it teaches nothing about blur. Use the "
                "discriminator laplacian-patchgan, or --set strategy.camera.steps=0"
            )
