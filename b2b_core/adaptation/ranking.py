"""Which known domain to take for a camera: the one whose blur is nearest to the camera's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from b2b_core.adaptation.at_hand import KnownDomain, deblurrer_file, in_one_line, known_domains
from b2b_core.adaptation.nearness import KERNEL, KERNELS, BatchKernels, Distance, Nearness
from b2b_core.adaptation.settings import DomainSettings
from b2b_core.adaptation.suspicions import FEW
from b2b_core.data.pictures import load_pictures
from b2b_core.errors import B2bError, UsageError
from b2b_core.images.files import find_pictures
from b2b_core.networks import load_network
from b2b_core.progress import Progress
from b2b_core.synthesis.kernels import kernel_bank
from b2b_core.training.precision import Numerics

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue

#: Differences of fewer standard errors than this may be chance.
SURE = 2.0


@frozen(kw_only=True, eq=False)
class RankedDomain:
    """A known domain, and what could be measured of it."""

    known: KnownDomain
    #: Of the camera's sharp pictures under its blur from the blurry ones.
    blur: Distance | None = None
    #: Of the camera's blurry pictures, deblurred by its deblurrer, from the sharp ones.
    restored: Distance | None = None
    #: What is missing, and how to get it.
    remarks: tuple[str, ...] = ()


@frozen(kw_only=True, eq=False)
class Ranking:
    """All known domains, the nearest first, those that could not be measured last."""

    domains: tuple[RankedDomain, ...]
    #: The yardsticks: of the sharp pictures from the blurry ones as both are, and the reverse.
    unblurred: Distance
    unrestored: Distance
    #: Side of the crops that were compared, in pixels.
    side: int
    #: How many pictures there were, "blurry" and "sharp".
    pictures: Mapping[str, int]

    @property
    def measured(self) -> list[tuple[RankedDomain, Distance]]:
        """One or more domains with the distance of their blur, the nearest first."""
        return [(domain, domain.blur) for domain in self.domains if domain.blur is not None]

    @property
    def nearest(self) -> RankedDomain | None:
        """The domain to take, or None if no blur is surely nearer than no blur at all."""
        domain, distance = self.measured[0]
        gain = self.unblurred.beyond(distance)
        return domain if gain.mean > SURE * gain.error else None

    @property
    def as_near(self) -> list[RankedDomain]:
        """The other domains that, for all the batches tell, may be as near as the nearest."""
        _, nearest = self.measured[0]
        behind = [(domain, distance.beyond(nearest)) for domain, distance in self.measured[1:]]
        return [domain for domain, more in behind if more.mean <= SURE * more.error]

    @property
    def notes(self) -> list[str]:
        """What makes the numbers doubtful."""
        return [
            f"only {count} {role} pictures: the scenes themselves differ; {FEW} or more are better"
            for role, count in self.pictures.items()
            if count < FEW
        ]


def rank_domains(
    catalogue: Catalogue,
    blurry: Path,
    sharp: Path,
    said: Sequence[DomainSettings] = (),
    *,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
) -> Ranking:
    """Measure every installed domain whose pairs or deblurrer are at hand; nothing is fetched.

    Args:
        catalogue: the installed components.
        blurry: folder of the camera's blurry pictures.
        sharp: folder of its sharp pictures, unpaired.
        said: what the user says of some domains: root, options, deblurrer.
        seed: which crops and kernels are compared.
        device: "auto", "cpu", "cuda" or "cuda:N".
        precision: of the deblurrers: "auto", "bf16" or "float32".

    Raises:
        UsageError: for missing folders, pictures that are too small, a domain or root of `said`
            that is not there, or if there is no domain whose blur can be measured.
        B2bError: if a picture cannot be read.
    """
    folders = {"blurry": blurry, "sharp": sharp}
    for folder in folders.values():
        find_pictures(folder)  # what is misspelt is said before anything is read
    domains, numerics = known_domains(catalogue, said), Numerics(device, precision)
    pictures = {role: load_pictures(folder, role, 1, seed) for role, folder in folders.items()}
    nearness = Nearness(pictures["blurry"], pictures["sharp"], seed, numerics)
    ranked: list[RankedDomain] = []
    with Progress("measuring known domains", total=len(domains)) as bar:
        for domain in domains:
            ranked.append(_measured(domain, nearness, catalogue, numerics, seed))
            bar.update(len(ranked))
    if not any(domain.blur for domain in ranked):
        reasons = "; ".join(f"{one.known.name}: {one.remarks[0]}" for one in ranked if one.remarks)
        raise UsageError("the blur of no known domain could be measured", mend=reasons)
    return Ranking(
        domains=tuple(sorted(ranked, key=_place)),
        unblurred=nearness.unblurred(),
        unrestored=nearness.unrestored(),
        side=nearness.side,
        pictures={role: len(found) for role, found in pictures.items()},
    )


def _measured(
    domain: KnownDomain, nearness: Nearness, catalogue: Catalogue, numerics: Numerics, seed: int
) -> RankedDomain:
    remarks, blur, restored = [domain.reason] if domain.reason else [], None, None
    if domain.pairs is not None:
        try:
            bank = kernel_bank(domain.pairs, KERNEL, KERNELS, seed)
            blur = nearness.of_blur(BatchKernels(bank))
        except B2bError as error:
            remarks.append(in_one_line(error))
    try:
        file = deblurrer_file(domain, catalogue)
        header, network = load_network(file, catalogue, "deblurrer")
        size = catalogue.spec("deblurrer", header.component).size
        restored = nearness.of_deblurrer(numerics.place(network).eval(), size)
    except Exception as error:  # of a plugin's network, too
        if domain.said.deblurrer is not None:
            raise
        remarks.append(in_one_line(error))
    return RankedDomain(known=domain, blur=blur, restored=restored, remarks=tuple(remarks))


def _place(domain: RankedDomain) -> tuple[bool, float, str]:
    return domain.blur is None, domain.blur.mean if domain.blur else 0.0, domain.known.name
