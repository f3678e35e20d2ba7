"""The global generators of random numbers: seeded for a check, and put back afterwards."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Generator


@contextlib.contextmanager
def put_back() -> Generator[None]:
    """Run the body; afterwards the generators of Python, numpy and torch go on where they were.

    Packages that are not loaded are left alone.
    """
    python = random.getstate()
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: random.setstate(python))
        if "numpy" in sys.modules:
            import numpy as np

            numpys = np.random.get_state()
            stack.callback(lambda: np.random.set_state(numpys))
        if "torch" in sys.modules:
            from b2b_core.typed_torch import random as torch_random

            stack.enter_context(torch_random.fork_rng(devices=[]))
        yield


def seed_all(seed: int) -> None:
    """Seed the generators of Python, numpy and torch."""
    import numpy as np

    from b2b_core.typed_torch import random as torch_random

    random.seed(seed)
    np.random.seed(seed)
    torch_random.manual_seed(seed)


def states() -> dict[str, bytes]:
    """Return the state of each generator."""
    import numpy as np
    import torch

    return {
        "torch": bytes(torch.get_rng_state().numpy()),
        "numpy": repr(np.random.get_state()).encode(),
        "random": repr(random.getstate()).encode(),
    }
