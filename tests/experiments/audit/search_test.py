from experiments.audit import search


def test_large_predictions_are_resampled_less():
  assert search.num_resamples(60_000, 10) == 200
  assert 20 < search.num_resamples(4_000_000, 100) < 200
  assert 20 < search.num_resamples(100, 5000) < 200
  assert search.num_resamples(10**6, 10**4) == 20
