"""Options of the domain and the demo `starter`."""

from attrs import field, frozen
from attrs.validators import ge


@frozen
class StarterConfig:
    """How the pairs are split."""

    #: Every n-th scene, in order of name, is kept for testing.
    test_every: int = field(default=8, validator=ge(2))


@frozen
class DemoConfig:
    """The demo has no options but its seed."""

    seed: int = 0
