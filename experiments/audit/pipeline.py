"""The stages of an audit, from images or arrays to a report.

What a stage has made is in the working directory, and the same command goes on
behind it. True labels, where the data set happens to have them, are no part of
it: everything is found from images and given labels.
"""

import pathlib
from typing import Any
from typing import NamedTuple

import ml_collections
import numpy as np

from experiments import errors
from experiments import loop
from experiments.audit import claim
from experiments.audit import findings
from experiments.audit import held_out
from experiments.audit import options as options_lib
from experiments.audit import plan
from experiments.audit import review as review_lib
from experiments.audit import search
from experiments.audit import sources
from experiments.audit import stages as stages_lib
from experiments.audit import telling
from experiments.audit import text


class Audit(NamedTuple):
  """A finished audit, for what comes after it.

  Attributes:
    config: fitted to the data.
    data: what was audited.
    found: what was found.
    stages: for what comes after it.
  """

  config: ml_collections.ConfigDict
  data: sources.Data
  found: findings.Findings
  stages: stages_lib.Stages


def run(
  request: sources.Request,
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  options: options_lib.Options,
) -> Audit:
  """Audits, or goes on where an audit in `workdir` stopped.

  Args:
    request: what to audit.
    config: of `configs/audit.py`.
    workdir: holds everything that is written.
    options: how.

  Returns:
    The audit; report.html and the files beside it are written, and the model.

  Raises:
    UsageError: what was asked for cannot be meant.
    RunError: it cannot be done.
    DataError: the data cannot be read.
    StoppedError: SIGTERM or SIGINT came; finished stages are kept.
  """
  options_lib.check(request, config, options)
  kind = {'kind': request.kind}
  claim.check(workdir, kind, config)
  total = 5 if request.kind == 'arrays' else 7
  stages = stages_lib.Stages(total + (options.apply is not None))
  data = stages.run_alone(
    'Reading what is to be audited',
    lambda title, asked: sources.open_data(
      request, config, workdir, should_stop=asked, title=title
    ),
  )
  print(f'  {telling.describe(data)}', flush=True)
  if data.arrays is not None and telling.ignored(config):
    print(f'  {telling.ignored(config)}', flush=True)
  _check_labels(data)
  if options.apply is not None:  # Before hours of training.
    review_lib.read(
      options.apply,
      labels=data.labels,
      num_classes=len(data.class_names),
    )
  config = plan.fit(
    data.config,
    len(data.labels),
    has_color=data.images is not None and data.images.shape[-1] > 1,
  )
  facts = {
    **kind,
    'files': data.arrays and data.arrays.files,
    # Of arrays the files are known.
    'content': data.arrays is None and claim.content(data.labels, data.images),
    'config': config.to_dict(),
  }
  claim.check(workdir, facts, config)
  claim.write(workdir, facts)
  if data.arrays is None:
    stages.run(
      f'Training {config.folds} models, each blind to the labels of its fold',
      lambda title: train(
        plan.of_folds(config), workdir / 'folds', data, title
      ),
    )
  found = _find(stages, config, workdir, data, options)
  stages.run_alone(
    'Writing the report',
    lambda title, asked: telling.write(
      workdir, found, data, options, title=title
    ),
  )
  telling.tell(workdir, found)
  if data.arrays is None:
    stages.run(
      'Training a model on all labels as they are',
      lambda title: train(
        plan.of_model(config), workdir / 'model', data, title
      ),
    )
    print(f'  Model: {text.file_name(workdir / "model")}', flush=True)
  return Audit(config, data, found, stages)


def train(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  data: sources.Data,
  title: str,
) -> dict[str, Any]:
  """Trains on the data, or goes on; see `loop.run`."""
  return loop.run(
    config,
    workdir,
    data_dir=data.data_dir,
    title=title,
    local=plan.local(len(data.labels)),
  )


def _check_labels(data: sources.Data) -> None:
  """Raises if there is nothing that a label could be taken for."""
  given = np.unique(data.labels)
  if len(given) == 1:
    name = text.visible(data.class_names[given[0]])
    raise errors.UsageError(
      f'all {len(data.labels):,} labels are {name}: with nothing to take it '
      'for, no label can be wrong'
    )


def _find(stages, config, workdir, data, options) -> findings.Findings:
  """The stages between training and the report."""
  labels, seed = data.labels, config.seed
  probs = search.predictions(data, workdir)
  noise = stages.run_alone(
    'Estimating the noise',
    lambda title, asked: search.noise(
      labels,
      probs,
      workdir,
      estimator=config.noise_estimate,
      seed=seed,
      title=title,
    ),
  )
  scores = stages.run_alone(
    'Scoring every label',
    lambda title, asked: search.scores(
      labels,
      probs,
      noise,
      workdir,
      detector=options.detector,
      title=title,
    ),
  )
  near, reasons = stages.run_alone(
    'Looking for duplicates and outliers',
    lambda title, asked: search.near(
      data, workdir, should_stop=asked, title=title
    ),
  )
  accuracy = float(np.mean(np.argmax(probs, axis=1) == labels))
  least_error = None
  if data.arrays is None:
    least_error = held_out.least_error(workdir / 'folds')
  number, *between = (round(float(value)) for value in scores.expected)
  ends: tuple[int, int] | None = (between[0], between[1])
  if config.noise_estimate != 'confident_joint':  # Which counted these.
    number, ends = round(float(noise['rate']) * len(labels)), None
  interval = None
  if len(noise['rate_interval']):  # It knows of more than the chance in them.
    lower, upper = map(float, noise['rate_interval'])
    interval = lower, upper
    ends = round(lower * len(labels)), round(upper * len(labels))
  trained_on = config if data.arrays is None else None
  return findings.Findings(
    title=data.title,
    class_names=data.class_names,
    names=data.names,
    index=np.arange(len(labels)),
    label=labels,
    score=scores.score,
    is_issue=scores.is_issue,
    suggested=scores.suggested,
    confidence=scores.confidence,
    label_probability=scores.label_probability,
    rate=float(noise['rate']),
    rate_interval=interval,
    expected=number,
    expected_interval=ends,
    transition=noise['transition'],
    prior=noise['prior'],
    duplicates=near.duplicates(),
    outliers=near.strangers(),
    num_outliers=int(near.number),
    doubts=telling.doubts(number, ends, accuracy, least_error),
    problems=[
      *data.problems,
      *held_out.problems(labels, data.class_names, trained_on),
      *reasons,
    ],
    settings=telling.settings(config, data, options),
    accuracy=accuracy,
  )
