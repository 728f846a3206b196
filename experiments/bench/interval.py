"""Whether the interval of `expected_errors` covers, and what it would cost.

  scripts/bench.sh interval

Many samples of one population. What they say differs by the true deviation,
which every one of them is to know: by `expected_errors`, by the bootstrap that
it stands for, which makes thresholds and counts anew for each resample, and by
one that leaves the thresholds as they are. docs/detection.md has the result.

  scripts/bench.sh interval --predictions=WORKDIR/predictions.npz

compares the intervals alone, of what models of folds predicted.
"""

import argparse
import functools
import pathlib
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from noisy_labels import detection
from noisy_labels import estimation
from noisy_labels.detection import passes
from noisy_labels.estimation import blocks
from noisy_labels.estimation import confident_guess
from noisy_labels.estimation import confident_sums

# Examples, classes, how much the true class stands out, how sure the model is,
# and the power by which classes become rarer.
CASES = (
  (1_000, 2, 2.0, 1.0, 0.0),
  (2_000, 10, 2.5, 1.5, 0.0),
  (5_000, 10, 2.5, 6.0, 0.0),
  (5_000, 10, 2.5, 1.5, 1.5),
  (1_000, 300, 3.0, 2.0, 0.0),
  (10_000, 1_000, 4.0, 2.0, 0.0),
  (20_000, 1_000, 6.0, 2.0, 0.0),
)
_LEVEL = 0.95
_WRONG = 0.2


def main(arguments: list[str] | None = None) -> None:
  """Print the table."""
  options = _parse(arguments)
  if options.predictions:
    compare(options.predictions, options)
    return
  print(
    f'Of {options.samples} samples (the bootstrap: {options.bootstraps}, each '
    f'resampled {options.resamples} times); times of the processor.\n\n'
    '| examples | classes | margin | sureness | rarer by | wrong | deviation '
    '| ours | covers, % | ms | bootstrap | covers, % | ms | thresholds stay |\n'
    f'|{"---|" * 14}'
  )
  for case in CASES:
    print(line(case, options), flush=True)


def compare(path: pathlib.Path, options: argparse.Namespace) -> None:
  """Print both intervals of the predictions of a run with `config.folds`."""
  with np.load(path) as saved:
    arrays = saved['label'], np.exp(saved['log_probs'])
  bootstrap = functools.partial(_bootstrap, options.resamples)
  fixed = _fixed(np.random.default_rng(0), *arrays)
  print(f'expected: {detection.expected_errors(*arrays).number:.0f}')
  functions: dict[str, Any] = {'ours': _ours, 'bootstrap': bootstrap}
  for name, function in functions.items():
    jax.block_until_ready(function(*arrays))  # Compiled.
    (lower, upper), milliseconds = _timed(function, *arrays)
    deviation = _deviation(np.array([[lower, upper]])).item()
    print(
      f'{name}: {lower:.0f} to {upper:.0f}, deviation {deviation:.1f}, '
      f'{milliseconds:.1f} ms'
    )
  print(f'with fixed thresholds: deviation {fixed:.1f}')


def line(
  case: tuple[int, int, float, float, float], options: argparse.Namespace
) -> str:
  """One row of the table."""
  rng, others = np.random.default_rng(0), np.random.default_rng(1)
  bootstrap = functools.partial(_bootstrap, options.resamples)
  numbers, fixed = [], []
  ours: list[Any] = []
  theirs: list[Any] = []
  for number in range(options.samples):
    arrays = sample(rng, *case)
    numbers.append(detection.expected_errors(*arrays).number)
    ours.append(_timed(_ours, *arrays))
    fixed.append(_fixed(others, *arrays))
    if number < options.bootstraps:
      theirs.append(_timed(bootstrap, *arrays))
  mean = np.mean(numbers)
  cells = [*case, mean, np.std(numbers, ddof=1)]
  for found in (ours, theirs):
    ends, milliseconds = map(np.array, zip(*found, strict=True))
    covers = (ends[:, 0] <= mean) & (mean <= ends[:, 1])
    cells += [_deviation(ends).mean(), 100 * covers.mean(), milliseconds.min()]
  cells.append(np.mean(fixed))
  return f'| {" | ".join(f"{cell:,.4g}" for cell in cells)} |'


def sample(
  rng: np.random.Generator,
  num_examples: int,
  num_classes: int,
  margin: float,
  sureness: float,
  rarer: float,
) -> tuple[np.ndarray, np.ndarray]:
  """Labels, of which some are wrong, and predictions of noisy logits."""
  frequency = (1.0 + np.arange(num_classes)) ** -rarer
  frequency /= frequency.sum()
  true = rng.choice(num_classes, num_examples, p=frequency)
  other = rng.integers(num_classes, size=num_examples)
  next_one = (true + 1) % num_classes
  other = np.where(rng.random(num_examples) < 0.5, next_one, other)
  labels = np.where(rng.random(num_examples) < _WRONG, other, true)
  logits = rng.standard_normal((num_examples, num_classes), np.float32)
  logits[np.arange(num_examples), true] += margin
  logits = np.float32(sureness) * (logits - logits.max(axis=1, keepdims=True))
  probs = np.exp(logits)
  return labels.astype(np.int32), probs / probs.sum(axis=1, keepdims=True)


def _timed(function, *arrays):
  start = time.process_time()
  ends = np.asarray(jax.block_until_ready(function(*arrays)))
  return ends, 1e3 * (time.process_time() - start)


def _ours(labels, probs):
  found = detection.expected_errors(labels, probs, level=_LEVEL)
  return jnp.stack([found.lower, found.upper])


@functools.partial(jax.jit, static_argnums=0)
def _bootstrap(resamples, labels, probs):
  labels = jnp.asarray(labels)
  num_examples, num_classes = probs.shape

  def number(weights):
    confidence = confident_sums.self_confidence(labels, probs, weights=weights)
    bounds = confident_sums.thresholds_from(confidence)
    guesses = confident_guess.guess(probs, bounds)
    counted, right = (
      blocks.class_counts(jnp.where(among, labels, -1), num_classes, weights)
      for among in (guesses >= 0, guesses == labels)
    )
    wrong = (counted - right) / (counted + jnp.maximum(1 - right, 0))
    given = confidence.given
    return num_examples * jnp.sum(given * wrong) / jnp.sum(given)

  return jnp.stack(
    estimation.bootstrap(
      number,
      num_examples,
      key=jax.random.key(0),
      num_resamples=resamples,
      level=_LEVEL,
    )
  )


def _fixed(rng, labels, probs, resamples=100):
  """The deviation if counts are drawn anew, and thresholds are not."""
  found = passes.confident(labels, probs)
  size = probs.shape[1]
  right = np.bincount(labels[found.guesses == labels], minlength=size)
  counted = np.bincount(labels[found.guesses >= 0], minlength=size)
  parts = np.stack([right, counted - right, found.given - counted])
  right, wrong, rest = np.moveaxis(
    rng.poisson(parts, (resamples, 3, size)), 1, 0
  )
  given = right + wrong + rest
  rates = wrong / np.maximum(wrong + np.maximum(right, 1), 1)
  numbers = (given * rates).sum(axis=1) / given.sum(axis=1) * len(labels)
  return numbers.std(ddof=1)


def _deviation(ends):
  return (ends[:, 1] - ends[:, 0]) / 2 / 1.959964


def _parse(arguments: list[str] | None) -> argparse.Namespace:
  parser = argparse.ArgumentParser(
    prog='scripts/bench.sh interval',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  parser.add_argument('--predictions', type=pathlib.Path)
  parser.add_argument('--samples', type=int, default=200)
  parser.add_argument('--bootstraps', type=int, default=20)
  parser.add_argument('--resamples', type=int, default=200)
  return parser.parse_args(arguments)


if __name__ == '__main__':
  main()
