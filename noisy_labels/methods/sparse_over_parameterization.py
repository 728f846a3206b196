"""Sparse over-parameterisation: each example has noise of its own to learn."""

from noisy_labels.methods import example_noise
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows


def sparse_over_parameterization(
  *,
  u_learning_rate: float = 10.0,
  v_learning_rate: float = 10.0,
  batch_size: int = 128,
) -> method_lib.Method:
  """Sparse over-parameterisation (SOP).

    l = -log phi(p + s)_y,  p = softmax(logits),  s = u^2 e_y - v^2 (1 - e_y)
    phi(x) = max(x, 1e-4) / sum_k max(x_k, 1e-4)
    u <- clip(u - u_learning_rate / batch_size dl/du, -1, 1)
    v <- clip(v - v_learning_rate / batch_size dm/dv, -1, 1)
    m = sum_k (h + s - e_y)_k^2,  h one-hot at the most probable class

  with products and squares elementwise. s stands for what the noise added to
  the label. It begins at 0 and grows, the faster the larger it is, where the
  model keeps on disagreeing with the label, so that in the end p + s explains
  the label and p need not.

  Remembers: `example_noise.Memory(u, v)`. u^2 near 1 tells of a wrong label,
  and v^2 of the true one: the largest entry of e_y - s is a guess of it. They
  are trained by gradient, but with plain stochastic gradient descent as in the
  paper, and only by the loss of their own example; so the method makes their
  steps itself, and they are sharded with the examples.

  The numbers that the paper gives are rates for the gradient of a mean over a
  batch: hence batch_size, which makes a step that does not depend on how many
  devices there are. An example that occurs twice makes both steps. u learns
  from l and v from m alone, as in the paper and the first official code; in the
  newer one, m has a gradient by u too. Squares are bounded by clipping u and v,
  as the paper projects them; the code clips the squares, whose gradient is then
  0 for good.

  Args:
    u_learning_rate: in [0, inf). Official: 10 on CIFAR-10 with symmetric
      noise, the default, 0.1 with asymmetric, 1 on CIFAR-100; with asymmetric
      noise there, 1 in the paper and 0.1 in the code.
    v_learning_rate: in [0, inf). Official: 10 with symmetric noise, 100 with
      asymmetric.
    batch_size: the whole batch of the mean that the learning rates are meant
      for, an integer of at least 1; official 128. To use official rates, leave
      it, whatever your own batch.

  Returns:
    A `Method`; its metric `noise` is u^2.

  Raises:
    ValueError: if an argument is out of range.

  References:
    Liu et al., `Robust Training under Label Noise by Over-parameterization
    <https://arxiv.org/abs/2202.14026>`_, 2022
  """
  rates = example_noise.Rates(u_learning_rate, v_learning_rate, batch_size)
  rates.check()

  def loss(predict, batch, state, key):
    logits = rows.logits_of(predict, batch, key)
    losses, memory, noise = example_noise.explain(
      logits, batch, state.memory, rates
    )
    return losses, (memory, {'noise': noise})

  return method_lib.Method(
    example_noise.init, loss, opinion=example_noise.opinion
  )
