"""Co-teaching: two networks choose for each other what to learn from."""

from noisy_labels import _checks
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows
from noisy_labels.methods import selection


def co_teaching(
  *, noise_rate: float, ramp_epochs: float = 10.0
) -> method_lib.Method:
  """Each of two networks learns from what costs the other least.

    L_1 = mean of -log p1_y over the share 1 - R of the batch with the smallest
          -log p2_y;  L_2 likewise, with p1 and p2 exchanged
    R = noise_rate min(t / ramp_epochs, 1)

  where t is how often the examples of the batch were seen before, on average.
  Early on, networks fit right labels before wrong ones, so small losses tell of
  right labels; and one network's errors in choosing are not its own to repeat.

  Losses are n / m (-log p_y) for each network's m examples and summed over the
  two, where n counts the examples of the device's batch that are no padding:
  their mean is L_1 + L_2, and neither network's gradient has a part of the
  other's. Of several devices, each chooses from its own batch. m is rounded
  down, and at least 1.

  Remembers: `selection.Memory(visits, kept)`.

  The official code divides L by the number kept once more, which Adam does not
  notice, and R grows from its 0th epoch, which is not trained, to its last,
  ramp_epochs - 1.

  Args:
    noise_rate: the share of wrong labels, in [0, 1); the paper's tau.
    ramp_epochs: over how many epochs R grows, in [0, inf); the paper's T_k, 10
      there.

  Returns:
    A `Method` of two networks; its metric `kept` is by how many of the two, as
    a share, an example was kept.

  Raises:
    ValueError: if an argument is out of range.

  References:
    Han et al., `Co-teaching: Robust Training of Deep Neural Networks with
    Extremely Noisy Labels <https://arxiv.org/abs/1804.06872>`_, 2018
  """
  _checks.in_range('noise_rate', noise_rate, '[0, 1)')
  _checks.in_range('ramp_epochs', ramp_epochs, '[0, inf)')

  def loss(predict, batch, state, key):
    logits = rows.logits_of(predict, batch, key)
    each = rows.cross_entropies(logits, batch['label'])
    epoch = selection.epoch_of(state.memory, batch)
    forget_rate = selection.ramp(noise_rate, epoch, ramp_epochs)
    kept = selection.smallest(each, rows.is_real(batch), forget_rate)
    return selection.exchange(each, kept, batch, state.memory)

  return method_lib.Method(
    selection.init, loss, num_networks=2, opinion=selection.opinion
  )
