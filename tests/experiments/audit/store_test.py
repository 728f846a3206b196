"""What was found is read again, unless it is damaged or was another thing."""

import numpy as np

from experiments.audit import store


def test_arrays_are_made_once(tmp_path):
  path, made = tmp_path / 'found.npz', []

  def make():
    made.append(1)
    return {'a': np.arange(3), 'b': np.array(2.5)}

  for _ in range(2):
    found = store.kept(path, 'one', make)
    assert found.keys() == {'a', 'b'}
    np.testing.assert_array_equal(found['a'], np.arange(3))
  assert len(made) == 1
  store.kept(path, 'other', make)
  assert len(made) == 2
  whole = path.read_bytes()
  for damaged in (b'', b'PK', whole[: len(whole) // 2], whole[100:]):
    path.write_bytes(damaged)
    assert store.kept(path, 'other', make)['b'] == 2.5
  assert len(made) == 6
