"""Which stream of `counter.uniform` draws what, so that no two share one.

Streams of one seed are independent. Those from 1 to 2**31 - 1 are the
callers': a hold-out split, a shuffle an epoch.
"""

LABELS = 0  # Which label an example gets.
ANNOTATORS = 2**31  # Two for each annotator: which label, and whether any.
FLIP_RATES = 2**32 - 1  # How likely an example's label is to be wrong.
PROJECTIONS = 2**32 - 2  # What an example's wrong label looks like.
TRANSITIONS = 2**32 - 3  # The entries of a random T.
TIES = 2**32 - 4  # Which of equally many votes counts.
