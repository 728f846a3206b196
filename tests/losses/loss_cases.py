"""Every loss with what the conformance suite needs to hold it to its contract.

To have a new loss tested, list it in its kind's tuple and in `__all__` of
noisy_labels/losses/__init__.py, and write its case, in a file a family.
"""

import class_cases
import combinator_cases
import divergence_cases
import foundation_cases
import probability_cases

CASES = {
  **class_cases.CASES,
  **combinator_cases.CASES,
  **divergence_cases.CASES,
  **foundation_cases.CASES,
  **probability_cases.CASES,
}
