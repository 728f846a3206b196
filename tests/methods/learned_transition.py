"""Training a model and a transition matrix, by finite differences of a loss."""

import numpy as np

from tests.methods import tiny_training


class Adam:
  """Adam on one array, from its paper."""

  def __init__(self, rate):
    self.rate, self.count, self.mean, self.square = rate, 0, 0.0, 0.0

  def step(self, values, gradient):
    self.count += 1
    self.mean = 0.9 * self.mean + 0.1 * gradient
    self.square = 0.999 * self.square + 0.001 * gradient**2
    mean = self.mean / (1 - 0.9**self.count)
    square = self.square / (1 - 0.999**self.count)
    return values - self.rate * mean / (np.sqrt(square) + 1e-8)


def train(loss, params, adam_rate, num_epochs):
  """Descends on `loss(probs, labels, params) -> [batch]`, by differences.

  Returns:
    Weights of the model, params, and the losses of each step.
  """
  images, labels = tiny_training.examples()
  weights, adam = tiny_training.initial_weights(), Adam(adam_rate)
  history = []
  for rows in tiny_training.schedule(num_epochs):

    def losses(weights, params, rows=rows):
      probs = tiny_training.softmax(images[rows] @ weights)
      return loss(probs, labels[rows], params)

    history.append(losses(weights, params))
    by_weights = differences(
      lambda weights: losses(weights, params).mean(), weights
    )
    by_params = differences(
      lambda params: losses(weights, params).mean(), params
    )
    weights = weights - tiny_training.RATE * by_weights
    params = adam.step(params, by_params)
  return weights, params, np.array(history)


def differences(function, values, width=1e-5):
  result = np.zeros_like(values)
  for place in np.ndindex(values.shape):
    shift = np.zeros_like(values)
    shift[place] = width
    result[place] = (function(values + shift) - function(values - shift)) / (
      2 * width
    )
  return result


def of_label(table, labels):
  return table[np.arange(len(labels)), labels]
