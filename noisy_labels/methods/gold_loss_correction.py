"""Gold loss correction: a few labels are known to be right."""

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from noisy_labels import losses as losses_lib
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows
from noisy_labels.noise import transition as transition_lib


def gold_loss_correction(
  *, transition: npt.ArrayLike, trusted_labels: npt.ArrayLike
) -> method_lib.Method:
  """Forward correction, and cross entropy where the truth is known (GLC).

    l = -log p_g                   where the true class g is known
    l = -log sum_i p_i T[i, y]     elsewhere,  p = softmax(logits)

  Remembers nothing. The given label of a trusted example is not used.

  Args:
    transition: T, `[num_classes, num_classes]`: that of
      `estimation.trusted_transition` of the trusted examples, as predicted by a
      model trained with cross entropy on the others.
    trusted_labels: the true class of each example of the data set, by index,
      and -1 where it is not known, integers `[N]`.

  Returns:
    A `Method`; its metric `trusted` is 1 where the truth is known.

  Raises:
    ValueError: if transition is not a transition matrix, or trusted_labels are
      no classes; by init, if there are not num_classes of them.

  References:
    Hendrycks et al., `Using Trusted Data to Train Deep Networks on Labels
    Corrupted by Severe Noise <https://arxiv.org/abs/1802.05300>`_, 2018
  """
  matrix = transition_lib.check_transition(np.asarray(transition))
  known = np.asarray(trusted_labels)
  if known.ndim != 1 or not np.issubdtype(known.dtype, np.integer):
    raise ValueError(
      'trusted_labels must be integers [N], one for each example of the data '
      f'set, got {known.dtype} {known.shape}'
    )
  wrong = (known < -1) | (known >= len(matrix))
  if wrong.any():
    place = int(np.argmax(wrong))
    raise ValueError(
      f'trusted_labels must be in 0..{len(matrix) - 1}, or -1 where the truth '
      f'is not known, got {known[place]} at position {place}'
    )

  def init(key, num_examples, num_classes):
    transition_lib.check_transition(matrix, num_classes)
    return method_lib.init_nothing(key, num_examples, num_classes)

  def loss(predict, batch, state, key):
    logits = rows.logits_of(predict, batch, key)
    truth = jnp.asarray(known, jnp.int32)[batch['index']]
    trusted = truth >= 0
    losses = jnp.where(
      trusted,
      rows.cross_entropies(logits, jnp.maximum(truth, 0)),
      losses_lib.forward_corrected_cross_entropy(
        logits, batch['label'], transition=jnp.asarray(matrix, float)
      ),
    )
    return losses, (state.memory, {'trusted': trusted.astype(jnp.float32)})

  return method_lib.Method(init, loss)
