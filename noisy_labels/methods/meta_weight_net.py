"""Meta-Weight-Net: a small network learns what weight a loss deserves."""

import jax
from jax import lax
import jax.numpy as jnp
import optax

from noisy_labels import _checks
from noisy_labels.methods import look_ahead
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows


def meta_weight_net(
  *,
  learning_rate: float = 0.1,
  weight_learning_rate: optax.ScalarOrSchedule = 1e-3,
  weight_decay: float = 1e-4,
  num_hidden: int = 100,
  num_trusted: int = 100,
) -> method_lib.Method:
  """Cross entropy times a learnt function of itself (Meta-Weight-Net).

    l = V(c) c,  c = -log p_y,  V(c) = sigmoid(b + sum_h v_h relu(r_h c + s_h))

  V is trained by the gradient of the trusted examples' mean cross entropy after
  a step of the model with these weights, with

    theta' = theta - learning_rate d/dtheta 1/n sum_i V(c_i) c_i(theta)

  and the c_i within V constant. The gradient goes through the step and is
  exact: by V(c_i) it is -learning_rate / n times the inner product of the
  gradients of the trusted loss at theta' and of c_i. These products are one
  forward derivative of the model, which has to have one: a layer with a
  `jax.custom_vjp` has none. The model learns from l with V(c) a constant. n
  counts the examples of the device's batch that are no padding; of several
  devices, each looks ahead with its own batch, and the gradients are averaged.

  Trains: r, s, v `[num_hidden]` and b, with Adam. Remembers nothing.

  Model and V make their steps at once: V(c) is by the V before its step. In the
  paper V makes its step first, with the same gradient. The official code adds
  weight decay to the gradient of V; the paper speaks of none. An older official
  program divides V(c) by its sum over the batch and trains V by stochastic
  gradient descent; the newer, and this, do as the paper says.

  Args:
    learning_rate: of the step that looks ahead, in (0, inf). Official: that of
      the model, 0.1 at first, which falls with its schedule. Adam does not mind
      the scale of a gradient: the rate only says how far to look.
    weight_learning_rate: of V, a number or an optax schedule; official 1e-3.
    weight_decay: of V, in [0, inf); official 1e-4.
    num_hidden: how many hidden units V has, an integer of at least 1; official
      100.
    num_trusted: how many trusted examples a step takes on each device, an
      integer of at least 1; official 100, as many as in the batch.

  Returns:
    A `Method` that wants trusted examples; its metric `weight` is V(c).

  Raises:
    ValueError: if an argument is out of range.

  References:
    Shu et al., `Meta-Weight-Net: Learning an Explicit Mapping For Sample
    Weighting <https://arxiv.org/abs/1902.07379>`_, 2019
  """
  _checks.in_range('learning_rate', learning_rate, '(0, inf)')
  _checks.in_range('weight_decay', weight_decay, '[0, inf)')
  _checks.at_least('num_hidden', num_hidden, 1)
  _checks.at_least('num_trusted', num_trusted, 1)

  def init(key, num_examples, num_classes):
    del num_examples, num_classes
    return method_lib.MethodState(_weight_net(key, num_hidden), {})

  def loss(predict, batch, state, key):
    # Before all transformations, for this one's model state is carried on.
    batch = look_ahead.without_padding(batch)
    logits = rows.logits_of(predict, batch, key)
    losses = rows.cross_entropies(logits, batch['label'])
    weights = _weigh(state.params, lax.stop_gradient(losses))
    fixed = lax.stop_gradient(weights)
    number = jnp.maximum(jnp.sum(rows.is_real(batch)), 1)
    still = predict._replace(params=lax.stop_gradient(predict.params))
    ahead = look_ahead.step(
      fixed / number, still, batch, key, learning_rate=learning_rate
    )
    direction = look_ahead.trusted_gradient(ahead, still, batch, key)
    slopes = look_ahead.slopes(direction, still, batch, key)
    by_weight = -learning_rate / number * slopes
    # It is 0; but what is minimised has its gradient by V in this way.
    gradient_alone = jnp.sum(by_weight * (weights - fixed))
    return fixed * losses + gradient_alone, (state.memory, {'weight': fixed})

  return method_lib.Method(
    init,
    loss,
    # Decay is part of the gradient, as in PyTorch's Adam.
    optimizer=optax.chain(
      optax.add_decayed_weights(weight_decay), optax.adam(weight_learning_rate)
    ),
    num_trusted=num_trusted,
  )


def _weight_net(key, num_hidden):
  """Uniform in +-1 / sqrt(inputs), as PyTorch's linear layers begin."""
  keys = jax.random.split(key, 4)
  bound = num_hidden**-0.5

  def uniform(key, shape, bound):
    return jax.random.uniform(key, shape, minval=-bound, maxval=bound)

  return {
    'hidden_slope': uniform(keys[0], (num_hidden,), 1.0),
    'hidden_bias': uniform(keys[1], (num_hidden,), 1.0),
    'output_slope': uniform(keys[2], (num_hidden,), bound),
    'output_bias': uniform(keys[3], (), bound),
  }


def _weigh(params, losses):
  hidden = losses[:, None] * params['hidden_slope'] + params['hidden_bias']
  output = jax.nn.relu(hidden) @ params['output_slope']
  return jax.nn.sigmoid(output + params['output_bias'])
