"""The losses are for everybody's loop: they bring no framework with them."""

import subprocess
import sys

PROGRAM = """
import sys
import chex, jax, numpy, optax
before = set(sys.modules)
import noisy_labels.losses
added = {name.split('.')[0] for name in set(sys.modules) - before}
print(*sorted(added & HEAVY))
""".replace(
  'HEAVY',
  "{'absl', 'flax', 'matplotlib', 'ml_collections', 'orbax', 'sklearn',"
  " 'tensorflow', 'tensorflow_datasets'}",
)


def test_nothing_heavy_is_imported():
  # chex and optax import absl themselves; what counts is what is added.
  result = subprocess.run(
    [sys.executable, '-c', PROGRAM], capture_output=True, text=True, check=True
  )
  assert result.stdout.split() == []
