"""Being asked to stop: SIGTERM (a preemption) or SIGINT (Ctrl-C)."""

import signal
import threading

import jax
from jax.experimental import multihost_utils


class Watch:
  """While entered, notes the signals instead of dying of them."""

  _signals = (signal.SIGTERM, signal.SIGINT)

  def __init__(self):
    """Notes nothing yet."""
    self.asked = False
    self._before = {}

  def __enter__(self) -> 'Watch':
    # Python lets the main thread alone handle signals. Of several processes
    # JAX's own handler takes them, so that all stop after the same step.
    main_thread = threading.current_thread() is threading.main_thread()
    if main_thread and jax.process_count() == 1:
      for number in self._signals:
        self._before[number] = signal.signal(number, self._note)
    return self

  def __exit__(self, *_) -> None:
    for number, handler in self._before.items():
      signal.signal(number, handler)

  def should_stop(self, step: int) -> bool:
    """Whether to stop after this step: one answer for all processes."""
    if jax.process_count() == 1:
      return self.asked
    return multihost_utils.reached_preemption_sync_point(step)

  def _note(self, number, frame) -> None:
    del number, frame
    self.asked = True
