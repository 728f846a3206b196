"""`fused_linear(x, W, y, loss=l)` is `l(x W, y)`, in much less memory."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from tests.losses import harness

BATCH, DIM, K = 6, 4, 13
BLOCK_SIZE = 5  # Does not divide K.

# Losses that need more of the logits than log p of the label and its mean.
REFUSED = (
  'asymmetric_mean_square_error',
  'backward_corrected',
  'bi_tempered_logistic_loss',
  'clip_logits',
  'epsilon_softmax_cross_entropy',
  'forward_corrected_cross_entropy',
  'hard_bootstrapped_cross_entropy',
  'normalized_focal_loss',
  'normalized_generalized_cross_entropy',
  'normalized_negative_cross_entropy',
  'soft_bootstrapped_cross_entropy',
  'with_margin',
)
FITTING = [name for name in harness.CASES if name not in REFUSED]
# One of each way to ask for log p; `-m slow` has the rest.
QUICK = (
  'clipped_cross_entropy',
  'mixture_cross_entropy',
  'normalized_cross_entropy',
  'smoothed_cross_entropy',
)
SMOOTHED = functools.partial(losses.smoothed_cross_entropy, smoothing=0.1)
MIXTURE = functools.partial(losses.mixture_cross_entropy, noise_rate=0.3)


@pytest.fixture
def float64():
  with jax.enable_x64(True):
    yield


def inputs(batch=(BATCH,), scale=1.0):
  """Features, weights, labels and bias; the third class is masked."""
  rng = np.random.default_rng(0)
  features = scale * rng.normal(size=(*batch, DIM))
  labels = rng.choice(np.delete(np.arange(K), 2), size=batch)
  bias = np.where(np.arange(K) == 2, -np.inf, rng.normal(size=K))
  return features, rng.normal(size=(DIM, K)), labels, bias


def fused(loss, block_size=BLOCK_SIZE, bias=None):
  return lambda features, weights, labels: losses.fused_linear(
    features, weights, labels, loss=loss, block_size=block_size, bias=bias
  )


def unfused(loss):
  return lambda features, weights, labels: loss(features @ weights, labels)


def gradients(function):
  """Losses, and the gradients of their sum by features and weights."""

  def run(features, weights, labels):
    values, pull = jax.vjp(
      lambda *layer: function(*layer, labels), features, weights
    )
    return values, *pull(jnp.ones_like(values))

  return run


def assert_close(got, want, **tolerance):
  compare = functools.partial(np.testing.assert_allclose, **tolerance)
  jax.tree.map(compare, got, want)


@pytest.mark.parametrize(
  'name',
  [
    pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK))
    for name in FITTING
  ],
)
@pytest.mark.usefixtures('float64')
def test_equals_the_unfused_loss(name):
  """In value and gradient by all that it depends on."""
  features, weights, labels, bias = inputs()
  static, numbers = harness.split(name, harness.parameters_of(name, K))
  loss = functools.partial(harness.loss_of(name), **static)

  def of_fused(features, weights, bias, numbers):
    return fused(functools.partial(loss, **numbers), BLOCK_SIZE, bias)(
      features, weights, labels
    )

  def of_logits(features, weights, bias, numbers):
    return loss(features @ weights + bias, labels, **numbers)

  arguments = jax.tree.map(jnp.asarray, (features, weights, bias, numbers))

  @functools.partial(jax.jit, static_argnums=0)
  def derivatives(function, *arguments):
    values, pull = jax.vjp(function, *arguments)
    return values, pull(jnp.arange(1.0, BATCH + 1))

  assert_close(
    derivatives(of_fused, *arguments),
    derivatives(of_logits, *arguments),
    rtol=1e-12,
    atol=1e-12,
  )


@pytest.mark.parametrize(
  'loss', [pytest.param(MIXTURE, marks=pytest.mark.slow), SMOOTHED]
)
@pytest.mark.parametrize('block_size', [1, 4, K, 100])
@pytest.mark.usefixtures('float64')
def test_size_of_blocks(loss, block_size):
  arguments = inputs()[:3]
  got = jax.jit(gradients(fused(loss, block_size)))(*arguments)
  want = jax.jit(gradients(unfused(loss)))(*arguments)
  assert_close(got, want, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
  'loss', [MIXTURE, pytest.param(SMOOTHED, marks=pytest.mark.slow)]
)
@pytest.mark.usefixtures('float64')
def test_second_derivatives(loss):
  features, weights, labels, _ = inputs()

  def hessian(function):
    def total(*layer):
      return function(*layer, labels).sum()

    return jax.jit(jax.jacrev(jax.jacrev(total, (0, 1)), (0, 1)))

  got = hessian(fused(loss))(features, weights)
  want = hessian(unfused(loss))(features, weights)
  assert_close(got, want, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize('name', REFUSED)
def test_losses_that_look_at_other_classes_are_refused(name):
  features, weights, labels, _ = inputs()
  with pytest.raises(TypeError, match='fused_linear makes none'):
    fused(harness.partial(name, K))(features, weights, labels)


@pytest.mark.parametrize(
  'loss',
  [
    lambda logits, labels: jax.nn.softmax(logits)[..., 0],
    lambda logits, labels: jnp.max(logits, axis=-1),
    lambda logits, labels: logits.astype(jnp.float32)[..., 0],
    lambda logits, labels: losses.cross_entropy(logits + jnp.ones(K), labels),
    lambda logits, labels: losses.cross_entropy(
      logits, jax.nn.one_hot(labels, K)
    ),
  ],
)
def test_what_is_no_loss_of_log_probabilities_is_refused(loss):
  features, weights, labels, _ = inputs()
  with pytest.raises(TypeError, match='fused_linear makes none'):
    fused(loss)(features, weights, labels)


@pytest.mark.usefixtures('float64')
def test_losses_may_be_combined():
  def both(logits, labels):
    wrong = (labels + 1) % K
    return MIXTURE(logits, labels) - 0.1 * SMOOTHED(logits, wrong) ** 2

  arguments = inputs()[:3]
  got = jax.jit(gradients(fused(both)))
  want = jax.jit(gradients(unfused(both)))
  assert_close(got(*arguments), want(*arguments), rtol=1e-12)


@pytest.mark.parametrize('loss', [MIXTURE, SMOOTHED])
@pytest.mark.parametrize(
  'scale', [1e-2, pytest.param(1, marks=pytest.mark.slow), 1e3]
)
def test_float32(loss, scale):
  features, weights, labels, _ = inputs(scale=scale)
  with jax.enable_x64(True):
    want = gradients(unfused(loss))(features, weights, labels)
  narrow = jnp.float32(features), jnp.float32(weights), jnp.asarray(labels)
  got = jax.jit(gradients(fused(loss)))(*narrow)
  resolution = 4e-6 * scale
  assert_close(got, want, rtol=1e-4, atol=resolution)


@pytest.mark.parametrize('dtype', ['bfloat16', 'float16'])
def test_narrow_floats_are_summed_in_float32(dtype):
  features, weights, labels, _ = inputs()
  features, weights = jnp.asarray(features, dtype), jnp.asarray(weights, dtype)
  run = jax.jit(gradients(fused(SMOOTHED)))
  value, *gradient = run(features, weights, labels)
  assert value.dtype == jnp.float32
  assert all(array.dtype == dtype for array in gradient)
  wide = features.astype(jnp.float32), weights.astype(jnp.float32)
  want, *exact = gradients(unfused(SMOOTHED))(*wide, jnp.asarray(labels))
  np.testing.assert_allclose(value, want, rtol=1e-5)
  eps = float(jnp.finfo(dtype).eps)
  gradient = [array.astype(jnp.float32) for array in gradient]
  assert_close(gradient, exact, rtol=2 * eps, atol=2 * eps)


def test_transformations():
  features, weights, labels, _ = (
    jnp.asarray(array) for array in inputs(batch=(1, 2, 3))
  )
  run, want = gradients(fused(SMOOTHED)), gradients(unfused(SMOOTHED))
  want = jax.jit(want)(features, weights, labels)
  close = functools.partial(assert_close, rtol=1e-5, atol=1e-5)
  close(run(features, weights, labels), want)
  close(jax.jit(run)(features, weights, labels), want)
  mapped = jax.jit(jax.vmap(jax.vmap(run, (0, None, 0)), (0, None, 0)))
  by_row = mapped(features[0], weights, labels[0])
  close(by_row[0], want[0][0])
  close(by_row[2].sum((0, 1)), want[2])
  values, _, by_weights = jax.pmap(run, in_axes=(0, None, 0))(
    features, weights, labels
  )
  close((values, by_weights[0]), (want[0], want[2]))
  for inner in (jax.jit, jax.checkpoint):
    within = jax.jit(gradients(fused(inner(SMOOTHED))))
    close(within(features, weights, labels), want)


def test_ensembles_of_layers():
  features, weights, labels, _ = inputs()
  stack = jnp.stack([weights, 2 * weights])
  got = jax.vmap(fused(MIXTURE), (None, 0, None))(features, stack, labels)
  want = [unfused(MIXTURE)(features, layer, labels) for layer in stack]
  assert_close(got, jnp.stack(want), rtol=1e-5)


def test_shard_map():
  """With weights on every device: their gradient is summed over devices."""
  spec = jax.sharding.PartitionSpec
  mesh = jax.make_mesh(
    (1,), ('devices',), axis_types=(jax.sharding.AxisType.Auto,)
  )
  features, weights, labels, _ = inputs()

  def sharded(function):
    def gradient(features, weights, labels):
      def total(weights):
        return function(features, weights, labels).sum()

      return jax.grad(total)(weights)

    specs = (spec('devices'), spec(), spec('devices'))
    return jax.jit(
      jax.shard_map(gradient, mesh=mesh, in_specs=specs, out_specs=spec())
    )

  arguments = features, weights, jnp.asarray(labels)
  got, want = sharded(fused(SMOOTHED)), sharded(unfused(SMOOTHED))
  assert_close(got(*arguments), want(*arguments), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('dtype', ['int8', 'uint8', 'int32', 'uint32'])
def test_labels_that_are_no_class(dtype):
  features, weights, _, _ = inputs()
  outside = [K, 127, np.iinfo(dtype).max, np.iinfo(dtype).min or K, -1]
  labels = jnp.asarray(np.array([*outside, 3]).astype(dtype))
  run = jax.jit(gradients(fused(SMOOTHED)))
  values, by_features, by_weights = run(features, weights, labels)
  assert np.isnan(values[:5]).all()
  assert np.isnan(by_features[:5]).all()
  assert np.isfinite(values[5])
  assert np.isfinite(by_features[5]).all()
  assert np.isnan(by_weights).all()


def test_memory():
  """A few arrays `[batch, block_size]`, in the second order too."""
  batch, dim, num_classes, block_size = 1024, 64, 32000, 1000
  arrays = (
    jax.ShapeDtypeStruct((batch, dim), jnp.float32),
    jax.ShapeDtypeStruct((dim, num_classes), jnp.float32),
    jax.ShapeDtypeStruct((batch,), jnp.int32),
  )

  def temporary_bytes(function):
    compiled = jax.jit(function).lower(*arrays).compile()
    return compiled.memory_analysis().temp_size_in_bytes

  def curvature(function):
    def slope(features, weights, labels):
      _, by_features, _ = gradients(function)(features, weights, labels)
      return jnp.vdot(by_features, features)

    return jax.grad(slope, (0, 1))

  logits = 4 * batch * num_classes
  block = 4 * batch * block_size
  for loss in (MIXTURE, SMOOTHED):
    assert temporary_bytes(gradients(unfused(loss))) >= logits
    assert temporary_bytes(gradients(fused(loss, block_size))) < 3.1 * block
  assert temporary_bytes(curvature(unfused(MIXTURE))) >= logits
  assert temporary_bytes(curvature(fused(MIXTURE, block_size))) < logits / 2


def test_unfit_arguments():
  features, weights, labels, bias = inputs()
  run = functools.partial(losses.fused_linear, loss=MIXTURE, block_size=4)
  for arguments, message in [
    ((features, weights, np.eye(K)[labels]), 'integer labels only'),
    ((features, weights.T, labels), 'features'),
    ((features, weights[0], labels), 'weights'),
    ((features, weights, labels[1:]), 'features'),
    ((features.astype(int), weights, labels), 'float'),
  ]:
    with pytest.raises(AssertionError, match=message):
      run(*arguments)
  with pytest.raises(AssertionError, match='bias'):
    run(features, weights, labels, bias=bias[1:])
  for block_size in (0, -1, 1.5, None, True):
    with pytest.raises(ValueError, match='block_size must be an integer of'):
      run(features, weights, labels, block_size=block_size)
  assert run(features, weights, labels, block_size=np.int64(2)).shape
