"""What the command line adds to a recipe; imports nothing heavy."""

from __future__ import annotations

from attrs import field, frozen

#: Stages of a run, in order.
STAGES = ("render", "known", "bound", "adapt", "measure")


@frozen(kw_only=True)
class Extras:
    """Deviations from a recipe that are results of their own, under a label."""

    #: Candidates that are trained to their end beside the chosen one.
    also: tuple[str, ...] = ()
    #: Share of S that the adaptation gets.
    sharp_share: float = 1.0
    #: Settings of the adaptation, as KEY=VALUE.
    overrides: tuple[str, ...] = ()
    #: Whether the paired upper bound is trained and measured; without it there is no gap.
    bound: bool = True
    #: Name of these results; made of the rest if empty.
    said_label: str = field(default="")

    @property
    def label(self) -> str:
        """What files and rows of the table are named by; empty for the recipe itself."""
        if self.said_label:
            return self.said_label
        parts = [f"also-{'-'.join(self.also)}"] if self.also else []
        parts += [f"sharp-{self.sharp_share:g}"] if self.sharp_share < 1 else []
        parts += ["set"] if self.overrides else []
        parts += [] if self.bound else ["no-bound"]
        return "_".join(parts)

    @property
    def arguments(self) -> str:
        """What the command line says for these extras."""
        parts = [f"--also {','.join(self.also)}"] if self.also else []
        parts += [f"--sharp-share {self.sharp_share:g}"] if self.sharp_share < 1 else []
        parts += [f"--set {override}" for override in self.overrides]
        parts += [] if self.bound else ["--no-bound"]
        parts += [f"--label {self.said_label}"] if self.said_label else []
        return " ".join(parts)

    @property
    def base(self) -> Extras:
        """The same run with all of S and nothing beside what is chosen."""
        return Extras(overrides=self.overrides)
