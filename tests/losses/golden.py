"""Values that the official codes gave for these logits, and gradients.

They were computed once, in float64, with PyTorch and the code named at each
test. The gradient is that of the second example.
"""

import jax
import jax.numpy as jnp
import numpy as np

LOGITS = np.array([
  [2.0, -1.0, 0.5, 0.0, -0.5],
  [0.0, 3.0, -2.0, 1.0, 0.5],
  [-1.0, 0.0, 1.0, 2.0, -3.0],
  [8.0, -8.0, 0.0, 1.0, -1.0],
])  # fmt: skip
LABELS = np.array([0, 3, 4, 1])

# Codes that clip at 1e-7 agree with the formula no better.
RTOL = 1e-5


def evaluate(loss, **parameters):
  """Return the losses, and the gradient of the second."""
  with jax.enable_x64(True):
    logits, labels = jnp.asarray(LOGITS), jnp.asarray(LABELS)

    def second(logits):
      values = loss(logits, labels, **parameters)
      return values[1], values

    gradient, values = jax.jit(jax.grad(second, has_aux=True))(logits)
    return values, gradient[1]


def check(loss, values, gradient, **parameters):
  got_values, got_gradient = evaluate(loss, **parameters)
  np.testing.assert_allclose(got_values, values, rtol=RTOL)
  np.testing.assert_allclose(got_gradient, gradient, rtol=RTOL)
