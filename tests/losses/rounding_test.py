import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from noisy_labels.losses import rounding


def patterns():
  """Bits of float32: of all sizes, near ties, and the special ones."""
  everywhere = np.arange(0, 2**32, 65_521, dtype=np.uint64)
  ties = np.concatenate(
    [start + np.arange(-2, 3) for start in range(0x3F808000, 0x3F828000, 2**15)]
  )
  special = [0x7F7FFFFF, 0x7F800000, 0xFF7FFFFF, 0xFF800000, 0x80000000, 1]
  return np.concatenate([everywhere, ties, special]).astype(np.uint32)


@pytest.mark.parametrize(
  'narrow', [rounding.narrow, jax.jit(rounding.narrow, static_argnums=1)]
)
def test_narrow_rounds_to_the_nearest_to_the_bit(narrow):
  values = patterns().view(np.float32)
  values = values[~np.isnan(values)]
  expected = values.astype(ml_dtypes.bfloat16)
  actual = np.asarray(narrow(values, jnp.bfloat16))
  np.testing.assert_array_equal(
    actual.view(np.uint16), expected.view(np.uint16)
  )


def test_narrow_keeps_every_nan():
  bits = np.array([0x7F800001, 0x7FC00000, 0x7FFFFFFF, 0xFFFFFFFF], np.uint32)
  narrowed = rounding.narrow(bits.view(np.float32), jnp.bfloat16)
  assert jnp.all(jnp.isnan(narrowed))


@pytest.mark.parametrize('dtype', [jnp.float16, jnp.float32])
def test_narrow_to_other_dtypes_is_astype(dtype):
  values = jnp.linspace(-3.0, 3.0, 7)
  narrowed = rounding.narrow(values, dtype)
  assert narrowed.dtype == dtype
  np.testing.assert_array_equal(narrowed, values.astype(dtype))


def test_narrow_has_the_derivative_of_astype():
  values = jnp.linspace(-3.0, 3.0, 7)

  def narrowed(values):
    return rounding.narrow(values, jnp.bfloat16).astype(jnp.float32) ** 2

  def cast(values):
    return values.astype(jnp.bfloat16).astype(jnp.float32) ** 2

  for derivative in (jax.jacrev, jax.jacfwd):
    np.testing.assert_array_equal(
      derivative(narrowed)(values), derivative(cast)(values)
    )


@pytest.mark.parametrize('dtype', [jnp.bfloat16, jnp.float16, jnp.float32])
def test_the_gradient_of_what_was_widened_is_rounded_once(dtype):
  logits = jnp.linspace(-3.0, 3.0, 7, dtype=dtype)
  wide, pull_back = jax.vjp(rounding.widen, logits)
  assert wide.dtype == jnp.float32
  g = jnp.linspace(0.1, 0.7, 7)
  (gradient,) = pull_back(g)
  assert gradient.dtype == dtype
  np.testing.assert_array_equal(gradient, g.astype(dtype))
