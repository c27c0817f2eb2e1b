"""One engine in a process of its own, so that its peak of memory is its own.

Takes a setting as its argument and the prompts as the first line of its input, loads the model,
warms up and says so in one line of JSON; then answers every further line with one timed run.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from speed.engines import Setting, open_engine

_WARM_UP = 32
"""Prompts of the warm-up."""


def peak_mb(device: str) -> float:
    """Return the greatest memory of this process so far: on a GPU, what torch reserved there."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.max_memory_reserved() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Serve runs until the input ends."""
    # Libraries print as they please; the line to the parent is kept apart from them.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def reply(**fields: Any) -> None:
        replies.write(json.dumps(fields) + "\n")
        replies.flush()

    setting = Setting(**json.loads(sys.argv[1]))
    prompts = json.loads(sys.stdin.readline())
    engine = open_engine(setting)
    baseline = peak_mb(setting.device)
    engine.run(prompts[:_WARM_UP])
    reply(baseline_mb=baseline, prompt_tokens=sum(engine.count_tokens(prompts)))
    for _ in sys.stdin:
        started = time.perf_counter()
        tokens = engine.run(prompts)
        seconds = time.perf_counter() - started
        reply(seconds=seconds, tokens=tokens, peak_mb=peak_mb(setting.device))


if __name__ == "__main__":
    main()
