"""Every loss with what the conformance suite needs to hold it to its contract.

To have a new loss tested, list it in its kind's tuple and in `__all__` of
noisy_labels/losses/__init__.py, and write its case, in a file a family.
"""

from tests.losses import class_cases
from tests.losses import combinator_cases
from tests.losses import divergence_cases
from tests.losses import foundation_cases
from tests.losses import probability_cases

CASES = {
  **class_cases.CASES,
  **combinator_cases.CASES,
  **divergence_cases.CASES,
  **foundation_cases.CASES,
  **probability_cases.CASES,
}
