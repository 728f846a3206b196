import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels.losses import expectation
from noisy_labels.losses import log_prob


@pytest.fixture(autouse=True)
def _float64():
  with jax.enable_x64(True):
    yield


@pytest.fixture
def logits():
  return 3 * jax.random.normal(jax.random.key(0), (4, 6))


def assert_trees_close(left, right):
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13),
    left,
    right,
  )


def three_derivatives(function):
  orders = [function]
  for _ in range(3):
    orders.append(jax.jacrev(orders[-1]))
  return jax.jit(lambda logits: [order(logits) for order in orders])


def test_log_probs(logits):
  row = logits[0]
  assert_trees_close(
    three_derivatives(log_prob.log_probs)(row),
    three_derivatives(jax.nn.log_softmax)(row),
  )


def test_label_and_mean(logits):
  row, label = logits[0], jnp.array(2)

  def want(logits):
    log_probs = jax.nn.log_softmax(logits)
    return log_probs[2], log_probs.mean()

  for index in (0, 1):
    assert_trees_close(
      three_derivatives(
        lambda z: log_prob.label_and_mean_log_prob(z, label)[index]
      )(row),
      three_derivatives(lambda z: want(z)[index])(row),
    )
  assert_trees_close(
    three_derivatives(lambda z: log_prob.label_log_prob(z, label))(row),
    three_derivatives(lambda z: want(z)[0])(row),
  )


def test_what_is_kept_for_the_backward_pass(logits):
  """The logits, and a few numbers an example."""
  labels = jnp.array([0, 1, 2, 3])
  _, pull = jax.vjp(
    lambda z: log_prob.label_and_mean_log_prob(z, labels), logits
  )
  kept = [leaf for leaf in jax.tree.leaves(pull) if leaf.size >= logits.size]
  assert len(kept) == 1
  np.testing.assert_array_equal(kept[0], logits)


def test_a_class_that_is_absent_contributes_nothing():
  logits = jnp.array([1.0, 0.0, -jnp.inf])
  labels = jnp.array([0.5, 0.5, 0.0])

  def loss(logits, labels):
    # Infinite at p = 0, and so is its derivative.
    return expectation.over_labels(lambda lp: -lp + lp**2, logits, labels)

  value, gradients = jax.value_and_grad(loss, (0, 1))(logits, labels)
  want = jax.value_and_grad(loss, (0, 1))(logits[:2], labels[:2])
  np.testing.assert_allclose(value, want[0])
  for gradient, without in zip(gradients, want[1], strict=True):
    np.testing.assert_allclose(gradient[:2], without)
    assert gradient[2] == 0


@pytest.mark.parametrize('dtype', ['bfloat16', 'float16'])
def test_many_narrow_logits_are_computed_as_wide(dtype):
  """So many that their exponentials are not kept for the backward pass."""
  narrow = 3 * jax.random.normal(jax.random.key(0), (8, 2**20), dtype)
  narrow = narrow.at[0, ::2].set(-jnp.inf)
  labels = jnp.full(8, 3)

  def alone(logits):
    label = log_prob.label_log_prob(logits, labels)
    return jnp.sum(label), label

  def both(logits):
    label, mean, _ = log_prob.label_and_mean_log_prob(logits, labels)
    return jnp.sum(2 * label + mean), (label, mean)

  @jax.jit
  def run(logits):
    return [jax.grad(f, has_aux=True)(logits) for f in (alone, both)]

  eps = float(jnp.finfo(dtype).eps)
  # Of float32 where terms cancel, or the spacing of the least numbers.
  atol = max(1e-11, float(jnp.finfo(dtype).smallest_subnormal))
  for got, want in zip(run(narrow), run(narrow.astype('float32')), strict=True):
    (gradient, values), (exact, wanted) = got, want
    assert gradient.dtype == dtype
    assert jnp.result_type(*jax.tree.leaves(values)) == jnp.float32
    jax.tree.map(
      lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-6), values, wanted
    )
    gradient = gradient.astype('float32')
    np.testing.assert_allclose(gradient, exact, rtol=eps, atol=atol)
