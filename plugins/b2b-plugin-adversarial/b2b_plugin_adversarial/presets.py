"""Named sets of options. `docs/method.md` says where each differs from its source."""

from __future__ import annotations

from collections.abc import Mapping

_PLAIN: Mapping[str, object] = {
    "compare": "translated",
    "anchor": {"coarse": 0.0, "fine": 0.0},
    "scales": [],
    "betas": [0.5, 0.999],
    "ema": 0.0,
    "lr": 2e-4,
    "discriminator_lr": 2e-4,
    "identity_weight": 0.0,
    "colour_weight": 0.0,
    "d_warmup": 0,
    "input_noise": 0.0,
    "known": {"source": "extractor", "noise": False, "compression": False},
}

PRESETS: Mapping[str, Mapping[str, object]] = {
    # The paper's text: Eq. 3-7 and section 4.1.
    "paper": {
        **_PLAIN,
        "steps": 1_000_000,
        "batch": 16,
        "constant": 0.5,
        "gan": "vanilla-gan",
        "gan_options": {"saturating": True},
        "lambda_rec": 0.8,
        "penalty": {
            "weight": 0.005,
            "where": "blurry-translated",
            "target": 1.0,
            "reduction": "sum",
            "levels": "all",
            "every": 1,
        },
        "curriculum": {"of": "batch", "start": 0.5, "hold": 200_000, "grow": 200_000},
        "augmentation": {"flip": True, "rotate": True, "jitter": 0.2},
    },
    # What the published code computes, as far as it is a matter of options.
    "official": {
        **_PLAIN,
        "steps": 1_620_000,
        "batch": 1,
        "constant": 1 / 3,
        "gan": "hinge-gan",
        "discriminator_weight": 0.5,
        # 0.8 on a sum over three levels.
        "lambda_rec": 2.4,
        "penalty": {
            "weight": 1e-4,
            "where": "known-translated",
            "target": 1.0,
            "reduction": "sum",
            "levels": "full",
            "every": 1,
        },
        "resampling": "bilinear",
        "augmentation": {"flip": True, "rotate": False, "jitter": 0.0},
    },
    # Ours: the defaults of the config class.
    "b2b": {},
}
