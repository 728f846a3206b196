"""What a review is worth, in words; pipeline_test.py applies one."""

from experiments.audit import apply


def test_a_gain_is_told_with_its_interval():
  assert apply.describe_gain(-0.01, 0.03) == '+1.00 points (-1.00 to +3.00)'


def test_where_nothing_has_changed_there_is_no_interval():
  assert apply.describe_gain(0.0, 0.0) == ('both right on the same examples')
