import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import _checks


@pytest.mark.parametrize(
  ('interval', 'inside', 'outside'),
  [
    ('[0, 1)', (0, 0.5, np.float32(0.9)), (-1e-9, 1, np.nan, True)),
    ('(0, inf]', (1e-9, np.inf), (0, -np.inf, np.nan)),
    ('(-inf, 1]', (-1e9, 1), (-np.inf, 1.1, np.inf)),
  ],
)
def test_in_range(interval, inside, outside):
  for value in inside:
    _checks.in_range('rate', value, interval)
    _checks.in_range('rate', np.full(3, value), interval)
  for value in outside:
    with pytest.raises(ValueError, match='rate must be in'):
      _checks.in_range('rate', value, interval)
    with pytest.raises(ValueError, match='rate must be in'):
      _checks.in_range('rate', np.array([inside[0], value]), interval)


@pytest.mark.parametrize('value', ['much', None, [1, 'x']])
def test_what_is_no_number(value):
  with pytest.raises(ValueError, match='rate must be'):
    _checks.in_range('rate', value, '[0, 1)')


def test_jax_arrays_are_not_looked_at():
  _checks.in_range('rate', jnp.array(7.0), '[0, 1)')
  jax.jit(lambda rate: _checks.in_range('rate', rate, '[0, 1)'))(7.0)
