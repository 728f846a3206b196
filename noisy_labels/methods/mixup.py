"""Mixup: images and labels between two examples, for any method."""

import jax

from noisy_labels import _checks
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import mixing
from noisy_labels.methods import rows


def mixup(method: method_lib.Method, *, alpha: float) -> method_lib.Method:
  """Trains on mixtures of two examples.

    x = r x_a + (1 - r) x_b,  l = r l_method(x, y_a) + (1 - r) l_method(x, y_b)
    r ~ Beta(alpha, alpha)

  one r for a batch, and b another example of the batch, by a random
  permutation of it. On several devices, each draws its own, and mixes its own
  batch. Nothing is mixed with padding.

  The loss of a mixture is a sum of two, which is the loss of the mixed label if
  the loss is linear in a distribution. The method is asked twice about one
  prediction: about example a, which it may remember, and about b, of which it
  remembers nothing. What it remembers of a is then a prediction for a mixture.
  That is no matter for counts of visits, but early learning regularisation is
  no ELR+ by it.

  A `warm_up` belongs inside: `mixup(warm_up(...), alpha=1.0)`.

  Args:
    method: one of one view, that asks for the prediction of its batch as it
      is.
    alpha: in (0, inf); the nearer to 0, the less is mixed. Official 1 on
      CIFAR-10.

  Returns:
    A `Method`; its metrics are those of the method, mixed as the losses are.

  Raises:
    ValueError: if alpha is out of range, or the method asks for predictions of
      other images, or by other parameters.

  References:
    Zhang et al., `mixup: Beyond Empirical Risk Minimization
    <https://arxiv.org/abs/1710.09412>`_, 2018
  """
  method_lib.check_one_view('mixup', method)
  _checks.in_range('alpha', alpha, '(0, inf)')
  if method.ema_decay or method.num_trusted:
    raise ValueError(
      'mixup takes a method that predicts its batch alone, and this one '
      'predicts other images, or by other parameters, too'
    )

  def loss(predict, batch, state, key):
    ratio_key, order_key, predict_key, *keys = jax.random.split(key, 5)
    ratio = jax.random.beta(ratio_key, alpha, alpha)
    partners = mixing.partners(order_key, rows.is_real(batch))
    mixed = {**batch, 'image': mixing.mix(batch['image'], partners, ratio)}
    logits = rows.logits_of(predict, mixed, predict_key)

    def ask(batch, key):
      return method.loss(lambda images, key: logits, batch, state, key)

    others = {name: batch[name][partners] for name in ('label', 'index', 'row')}
    own, (memory, metrics) = ask(batch, keys[0])
    other, (_, other_metrics) = ask({**batch, **others}, keys[1])

    def mix(own, other):
      return ratio * own + (1 - ratio) * other

    return mix(own, other), (memory, jax.tree.map(mix, metrics, other_metrics))

  return method._replace(loss=loss, mixes_images=True)
