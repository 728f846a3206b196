"""The table of losses of one shape and dtype."""

from collections.abc import Callable
from collections.abc import Iterator
import functools
from types import ModuleType

import jax
import jax.numpy as jnp
import optax

from experiments.bench import formulas
from experiments.bench import measure
from experiments.bench import parameters
from noisy_labels import losses

LEGEND = """\
time    of value and gradient, as a multiple of that of
        optax.softmax_cross_entropy_with_integer_labels, taken in turn;
        * marks one above its limit in experiments/bench/parameters.py, or
        slower than PyTorch
passes  the same, as a multiple of three passes over the logits: read, read
        again and write
MiB     temporary memory that XLA plans; it does not vary
naive   time of the paper's formula, through softmax and one-hot labels
torch   time of the loss in PyTorch, as official codes compute it"""

COLUMNS = f'{"":45}{"time":>6}{"passes":>7}{"MiB":>7}{"naive":>7}{"torch":>7}'


def lines(
  names: tuple[str, ...],
  shape: tuple[int, int],
  dtype: str,
  duration: float,
  torch_forms: ModuleType | None,
) -> Iterator[str]:
  """Yield the lines of the table, each as soon as it is measured.

  Args:
    names: of losses in `losses.PER_EXAMPLE`.
    shape: of the logits.
    dtype: of the logits.
    duration: seconds to spend on each number.
    torch_forms: that module, or None to leave PyTorch out.
  """
  logits = 3 * jax.random.normal(jax.random.key(0), shape, dtype)
  labels = jax.random.randint(jax.random.key(1), shape[:1], 0, shape[1])
  arrays = logits, labels
  baseline = measure.value_and_grad(
    optax.softmax_cross_entropy_with_integer_labels, *arrays
  )
  passes = measure.ratio(
    measure.three_passes(*arrays), baseline, arrays, duration
  )
  yield (
    f'[{shape[0]}, {shape[1]}] {dtype}, {logits.nbytes / measure.MIB:.1f} MiB. '
    f'optax: {1e3 * passes.baseline:.2f} ms, {1 / passes.ratio:.1f} passes, '
    f'{measure.temporary_mib(baseline):.1f} MiB'
  )
  yield COLUMNS

  def time(program):
    return measure.ratio(program, baseline, arrays, duration).ratio

  for name in names:
    entry = parameters.ENTRIES[name]
    if shape[1] > entry.max_classes:
      continue
    bound = parameters.of(name, shape[1])
    program = measure.value_and_grad(
      functools.partial(getattr(losses, name), **bound), *arrays
    )
    ratio = time(program)
    row = f'{name:45}{ratio:6.2f}{ratio / passes.ratio:7.1f}'
    row += f'{measure.temporary_mib(program):7.1f}'
    most = entry.most
    if entry.product:
      most += time(measure.product(*arrays))
    others: list[Callable | None] = [None, None]
    if formulas.known(name):
      others[0] = measure.value_and_grad(
        functools.partial(naive(name), **bound), *arrays
      )
      if torch_forms:
        others[1] = torch_forms.value_and_grad(name, bound, *arrays)
    times = [time(other) if other else None for other in others]
    row += ''.join(f'{"-":>7}' if t is None else f'{t:7.2f}' for t in times)
    if times[1] is not None:
      most = min(most, times[1])
    yield row + ('*' if ratio > most else '')
    if entry.product:
      yield f'{"  its limit, with the product of matrices":45}{most:6.2f}'


def naive(name: str) -> Callable:
  """Return the loss by the formula of its paper, for autodiff."""

  def loss(logits, labels, **hyper_parameters):
    one_hot = jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    probs = jax.nn.softmax(logits)
    return formulas.losses(name, jnp, probs, one_hot, **hyper_parameters)

  return loss
