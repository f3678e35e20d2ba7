"""K on disk, to look at: what the adversarial strategy trains towards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from b2b_core.catalogue import Catalogue
from b2b_core.contracts import KernelExtractor
from b2b_core.data.crops import CropSampler
from b2b_core.data.domains import open_domain
from b2b_core.data.pictures import load_pictures
from b2b_core.errors import UsageError
from b2b_core.images.tensors import to_pixels
from b2b_core.images.write import write_picture
from b2b_core.importing.open import network_file
from b2b_core.networks import load_network
from b2b_core.progress import Progress
from b2b_core.specs import SizeRule
from b2b_core.synthesis.known import KnownBlur
from b2b_core.synthesis.sheet import contact_sheet
from b2b_core.synthesis.sources import BlurSource, CodeBlur, KernelBlur
from b2b_core.training.precision import Numerics

#: Pictures in each row of the sheet (sharp and known side by side), and rows at most.
_ACROSS, _ROWS = 3, 8


def synthesize(
    catalogue: Catalogue,
    *,
    domain: str,
    root: Path | None,
    sharp: Path,
    out: Path,
    count: int,
    crop: int,
    seed: int,
    extractor: str | None,
    kernels: bool,
    device: str,
    precision: str,
    domain_options: Mapping[str, object] | None = None,
) -> Path:
    """Write `count` crops of sharp pictures under the domain's blur, and a contact sheet.

    `out` gets `sharp/NNNN.png`, `known/NNNN.png` and `sheet.png` (sharp left, known right).

    Args:
        catalogue: the installed components.
        domain: name of the known domain.
        root: where its pairs lie, or None for those that ship with its plugin.
        sharp: folder of sharp pictures.
        out: folder to write; must not exist, or be empty.
        count: how many pictures.
        crop: their side in pixels.
        seed: which crops and which codes.
        extractor: network file or published weights; None for the domain's own.
        kernels: measure kernels on the pairs instead; no extractor is used.
        device: "auto", "cpu" or "cuda".
        precision: "auto", "bf16" or "float32".
        domain_options: of the domain; its defaults otherwise.

    Returns:
        The contact sheet.

    Raises:
        UsageError: for wrong names or folders, or an `out` that holds something.
        B2bError: if a file cannot be read or written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError("the output exists", where=out, mend="choose another -o")
    numerics = Numerics(device, precision)
    pictures = load_pictures(sharp, "sharp", crop, seed)
    pairs = open_domain(catalogue, domain, root, "train", crop, domain_options)
    if kernels:
        source: BlurSource = KernelBlur(pairs, seed)
    else:
        frozen, size = _extractor(catalogue, domain, extractor, numerics)
        source = CodeBlur(frozen, pairs, seed, crop, size)
    known = KnownBlur(source, seed)
    sampler = CropSampler(pictures, crop, seed, "synthesize")
    shown: list[tuple[Tensor, Tensor]] = []
    with Progress("synthesizing", total=count) as bar:
        for number in range(count):
            original = sampler.batch(number, 1)
            with numerics.autocast():
                blurred = known.batch(original.to(numerics.device), number).cpu()
            for name, picture in (("sharp", original), ("known", blurred)):
                write_picture(out / name / f"{number:04d}.png", to_pixels(picture[0]))
            if len(shown) < _ACROSS * _ROWS:
                shown.append((original[0], blurred[0]))
            bar.update(number + 1)
    sheet = out / "sheet.png"
    write_picture(sheet, to_pixels(_sheet(shown)))
    return sheet


def _extractor(
    catalogue: Catalogue, domain: str, said: str | None, numerics: Numerics
) -> tuple[KernelExtractor, SizeRule]:
    weights = said or catalogue.spec("domain", domain).extractor
    if weights is None:
        raise UsageError(
            f"domain '{domain}' has no published kernel extractor",
            mend="use --kernels, or train one (b2b train extractor) and give it by --extractor",
        )
    file = network_file(weights, catalogue, "kernel-extractor")
    header, network = load_network(file, catalogue, "kernel-extractor")
    frozen = numerics.place(network).eval().requires_grad_(False)
    size = catalogue.spec("kernel-extractor", header.component).size
    return cast("KernelExtractor", frozen), size


def _sheet(shown: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Return rows of pairs without a gap between the two of a pair."""
    joined = [torch.cat(pair, dim=-1) for pair in shown]
    return contact_sheet([joined[i : i + _ACROSS] for i in range(0, len(joined), _ACROSS)])
