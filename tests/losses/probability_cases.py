"""The formulas of the losses of the label's probability alone.

Each by its value and by its trust weight, as the papers write them.
"""

import numpy as np

from tests.losses import case_base

LOG_ZERO = float(np.log(1e-4))
NAN = float('nan')


def case(phi, trust, *parameters, invalid, **options):
  """A case; what is invalid by the name of the parameter."""
  invalid = [
    {name: value} for name, values in invalid.items() for value in values
  ]
  return case_base.of_label_probability(
    phi, trust, parameters=parameters, invalid=tuple(invalid), **options
  )


def generalized(_, p, q):
  return (1 - p**q) / q


def truncated(_, p, q, k):
  return np.where(p <= k, (1 - k**q) / q, (1 - p**q) / q)


def symmetric(log_p, p, alpha, beta, log_zero):
  return -alpha * log_p + beta * -log_zero * (1 - p)


def taylor(_, p, order):
  return sum((1 - p) ** i / i for i in range(1, order + 1))


def huberised(log_p, p, tau):
  return np.where(p > 1 / tau, -log_p, -tau * p + np.log(tau) + 1)


def huberised_generalized(_, p, q, tau):
  contact = tau ** (1 / (q - 1))
  line = tau * contact + (1 - contact**q) / q - tau * p
  return np.where(p > contact, (1 - p**q) / q, line)


def focal_trust(log_p, p, gamma):
  # (1 - p) / -log p is 1 at p = 1, where it matters for gamma < 1.
  odds = np.where(
    log_p == 0, 1, p * log_p / np.expm1(np.minimum(log_p, -1e-30))
  )
  return (-np.expm1(log_p)) ** gamma * (1 + gamma * odds)


CASES = {
  'generalized_cross_entropy': case(
    generalized,
    lambda _, p, q: p**q,
    {'q': 0.7},
    {'q': 0.01},
    {'q': 1.0},
    invalid={'q': (-0.1, 1.1, NAN, 'two')},
  ),
  'truncated_generalized_cross_entropy': case(
    truncated,
    lambda _, p, q, k: p**q * (p > k),
    {'q': 0.7, 'k': 0.5},
    {'q': 0.4, 'k': 0.02},
    invalid={'q': (-0.1, 1.1), 'k': (0, 1, NAN)},
  ),
  'mean_absolute_error': case(
    lambda _, p: 2 * (1 - p), lambda _, p: 2 * p, {}, invalid={}
  ),
  'reverse_cross_entropy': case(
    lambda _, p, log_zero: -log_zero * (1 - p),
    lambda _, p, log_zero: -log_zero * p,
    {'log_zero': LOG_ZERO},
    invalid={'log_zero': (0, 1.0, -float('inf'), NAN)},
  ),
  'symmetric_cross_entropy': case(
    symmetric,
    lambda _, p, alpha, beta, log_zero: alpha - beta * log_zero * p,
    {'alpha': 0.1, 'beta': 1.0, 'log_zero': LOG_ZERO},
    {'alpha': 6.0, 'beta': 0.1, 'log_zero': -4.0},
    invalid={
      'alpha': (-0.1, NAN),
      'beta': (-0.1, float('inf')),
      'log_zero': (0,),
    },
  ),
  'taylor_cross_entropy': case(
    taylor,
    lambda _, p, order: 1 - (1 - p) ** order,
    {'order': 2},
    {'order': 6},
    {'order': 1},
    static=('order',),
    invalid={'order': (0, -1, 2.5, NAN, 'two')},
  ),
  'partially_huberised_cross_entropy': case(
    huberised,
    lambda _, p, tau: np.minimum(1, tau * p),
    {'tau': 10.0},
    {'tau': 2.0},
    invalid={'tau': (0.5, float('inf'), NAN)},
  ),
  'partially_huberised_generalized_cross_entropy': case(
    huberised_generalized,
    lambda _, p, q, tau: np.minimum(p**q, tau * p),
    {'q': 0.7, 'tau': 10.0},
    {'q': 0.3, 'tau': 2.0},
    invalid={'q': (-0.1, 1), 'tau': (0.5, float('inf'))},
  ),
  'asymmetric_generalized_cross_entropy': case(
    lambda _, p, a, q: ((a + 1) ** q - (a + p) ** q) / q,
    lambda _, p, a, q: p * (a + p) ** (q - 1),
    {'a': 0.6, 'q': 0.6},
    {'a': 1e-5, 'q': 0.5},
    {'a': 1.8, 'q': 3.0},
    invalid={'a': (0, -1.0, NAN), 'q': (-0.1, float('inf'))},
  ),
  'asymmetric_unhinged_loss': case(
    lambda _, p, a, q: ((a - p) ** q - (a - 1) ** q) / q,
    lambda _, p, a, q: p * (a - p) ** (q - 1),
    {'a': 5.5, 'q': 3.0},
    {'a': 3.0, 'q': 0.1},
    invalid={'a': (1, 0.5, NAN), 'q': (-0.1, float('inf'))},
  ),
  'asymmetric_exponential_loss': case(
    lambda _, p, a: np.exp(-p / a),
    lambda _, p, a: p / a * np.exp(-p / a),
    {'a': 2.5},
    {'a': 0.5},
    invalid={'a': (0, -1.0, NAN)},
  ),
  'focal_loss': case(
    lambda log_p, _, gamma: -((-np.expm1(log_p)) ** gamma) * log_p,
    focal_trust,
    {'gamma': 0.5},
    {'gamma': 2.0},
    invalid={'gamma': (-0.1, float('inf'), NAN)},
  ),
}
