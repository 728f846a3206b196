"""Small-loss selection in numpy, one batch at a time."""

import numpy as np

from tests.methods import tiny_training


def smallest(losses, candidates, forget_rate):
  """The places of the smallest losses among the candidates."""
  number = max(int((1 - forget_rate) * len(candidates) + 1e-9), 1)
  return sorted(candidates, key=lambda n: losses[n])[:number]


def train(choose, num_epochs, noise_rate, ramp_epochs):
  """Trains two networks; all examples are seen once an epoch.

  Args:
    choose: `(p [2, batch, K], y [batch, K], forget_rate, epoch)` to `(losses
      [batch], gradients by the logits [2, batch, K], kept [2, batch])` of sums
      over the networks' own chosen examples, divided by their number.
    num_epochs: how many.
    noise_rate: the paper's tau.
    ramp_epochs: the paper's T_k.

  Returns:
    The networks' weights, losses of each step, and how often each was kept.
  """
  images, labels = tiny_training.examples()
  weights, history = tiny_training.initial_weights(2), []
  kept_count = np.zeros(tiny_training.NUM_EXAMPLES)
  for number, rows in enumerate(tiny_training.schedule(num_epochs)):
    epoch = number // 2
    forget_rate = min(epoch / ramp_epochs * noise_rate, noise_rate)
    y = np.eye(tiny_training.NUM_CLASSES)[labels[rows]]
    p = tiny_training.softmax(images[rows] @ weights)
    losses, by_logits, kept = choose(p, y, forget_rate, epoch)
    history.append(losses * len(rows))
    kept_count[rows] += kept.mean(0)
    weights = np.stack(
      [
        # The mean over the chosen is made already.
        w - tiny_training.RATE * images[rows].T @ g
        for w, g in zip(weights, by_logits, strict=True)
      ]
    )
  return weights, np.array(history), kept_count


def exchange(p, y, candidates, forget_rate):
  """Each network learns from what the other chooses among the candidates."""
  losses = -np.log((p * y).sum(-1))
  chosen = [smallest(each, candidates, forget_rate) for each in losses]
  total, by_logits = np.zeros(len(y)), np.zeros_like(p)
  kept = np.zeros(losses.shape)
  for network, other in ((0, 1), (1, 0)):
    kept[network, chosen[network]] = 1
    for n in chosen[other]:
      total[n] += losses[network, n] / len(chosen[other])
      by_logits[network, n] = (p[network, n] - y[n]) / len(chosen[other])
  return total, by_logits, kept
