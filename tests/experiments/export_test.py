"""What is exported is what the checkpoint predicts and the method remembers."""

import csv

import jax
import numpy as np
import pytest

from experiments import build
from experiments import devices
from experiments import errors
from experiments import evaluate
from experiments import export
from experiments import label_table
from experiments import loop
from experiments import record
from experiments import restore
from experiments import together
from experiments import training
from experiments.configs import common
from experiments.data import label_file
from tests.experiments import programs
from tests.experiments import saved
from tests.methods import method_cases

NUM_EXAMPLES = 1437
ELR = {
  'method.name': 'early_learning_regularization',
  'method.beta': 0.7,
  'method.weight': 3.0,
}
TWO = {'method.name': 'co_teaching'}
TRUSTED = {
  'method.name': 'learning_to_reweight',
  'method.num_trusted': 16,
  'num_trusted': 60,
}
# Rates at which u and v grow up from 1e-8 in a few visits.
SOP = {
  'method.name': 'sparse_over_parameterization',
  'method.u_learning_rate': 10.0,
  'method.v_learning_rate': 10.0,
  'method.batch_size': 2,
}
DIVIDE_MIX = {
  'method.name': 'divide_mix',
  'method.warm_up_epochs': 1.0,
  'method.unlabelled_weight': 0.0,
}
ESTIMATED = {
  'loss.name': 'forward_corrected_cross_entropy',
  'noise_estimate': 'anchor_points',
  'estimation.folds': 2,
  'estimation.epochs': 1,
}


def _local(number):
  return devices.local(jax.local_devices()[:number])


def _run(workdir, data_dir, **changes):
  config = common.get_config()
  config.update_from_flattened_dict(
    {'model.name': 'mlp', 'epochs': 8, 'eval_every': 8, **changes}
  )
  loop.run(config, workdir, data_dir=data_dir, local=_local(2))
  return workdir


@pytest.fixture(scope='module')
def elr(tmp_path_factory, data_dir):
  """A run on two devices."""
  workdir = tmp_path_factory.mktemp('elr')
  return _run(workdir, data_dir, ema_decay=0.9, **ELR)


def _read(path):
  with path.open() as file:
    rows = list(csv.DictReader(file))
  return {
    name: np.array([row[name] or 'nan' for row in rows], float)
    for name in rows[0]
  }


def _recomputed(workdir, data_dir, number):
  """Log-probabilities of all examples, by index, without restore.py."""
  config = record.read_config(workdir)
  local = _local(number)
  given, data = build.make_data(config, data_dir, local)
  known = build.known(config, data, given)
  parts = build.make_parts(config, data, known)
  member = together.Member(config, workdir, data, known, parts)
  run = training.Training(member, local)
  run.close()
  evaluator = evaluate.Evaluator(parts, 100, local)
  log_probs = np.zeros((NUM_EXAMPLES, 10))
  for shards in (data.train, data.validation):
    outputs = evaluator.predict(run._state, shards)
    log_probs[outputs['index']] = outputs['log_probs']
  return log_probs


def test_a_program_writes_what_the_model_predicts(elr, data_dir, tmp_path):
  path = tmp_path / 'new' / 'elr.csv'
  # The run's batches do not divide by three devices.
  out, err = programs.run(
    'experiments.export',
    f'--workdir={elr}',
    f'--data_dir={data_dir}',
    f'--output={path}',
    num_devices=3,
  )
  assert str(path) in out
  assert f'{NUM_EXAMPLES} labels' in out
  assert err == ''
  table = _read(path)
  assert list(table) == [*label_table.COLUMNS, 'guess', 'target']
  np.testing.assert_array_equal(table['index'], np.arange(NUM_EXAMPLES))
  label = table['label'].astype(int)
  predicted = table['predicted'].astype(int)
  log_probs = _recomputed(elr, data_dir, 1)
  rows = np.arange(NUM_EXAMPLES)
  assert (predicted == log_probs.argmax(1)).mean() > 0.998
  close = {'rtol': 1e-4, 'atol': 1e-5}
  of_label = log_probs[rows, label]
  np.testing.assert_allclose(table['loss'], -of_label, **close)
  np.testing.assert_allclose(
    table['label_probability'], np.exp(of_label), **close
  )
  np.testing.assert_allclose(
    table['predicted_probability'], np.exp(log_probs.max(1)), **close
  )


def test_opinions_have_other_names_than_the_columns_of_all():
  for method in method_cases.CASES.values():
    if method.opinion:
      memory = method.init(jax.random.key(0), 2, 3).memory
      said = method.opinion(memory, np.zeros(2, int))
      assert not {*said} & {*label_table.COLUMNS}


def test_what_is_least_probable_is_mostly_wrong(elr, data_dir):
  export.export(elr, data_dir=data_dir)
  table = _read(elr / 'labels.csv')
  wrong = table['label'] != table['true_label']
  assert 0.25 < wrong.mean() < 0.35
  suspects = np.argsort(table['label_probability'])[:200]
  assert wrong[suspects].mean() > 0.95
  np.testing.assert_array_equal(suspects, np.argsort(-table['loss'])[:200])
  trained = table['held_out'] == 0
  assert trained.sum() == NUM_EXAMPLES - round(NUM_EXAMPLES / 10)
  suspects = np.argsort(np.where(trained, table['target'], 1))[:200]
  assert wrong[suspects].mean() > 0.95
  assert (table['guess'] == table['true_label'])[trained].mean() > 0.9


def test_the_opinion_is_of_the_memory_in_the_checkpoint(elr, data_dir):
  run = restore.load(elr, data_dir=data_dir, local=_local(4))
  table = label_table.columns(run)
  trained = table['held_out'] == 0
  assert np.isnan(table['target'][~trained]).all()
  assert len(run.memory) == trained.sum()
  label = table['label'][trained]
  np.testing.assert_array_equal(
    table['target'][trained], run.memory[np.arange(len(label)), label]
  )
  np.testing.assert_array_equal(
    table['guess'][trained], run.memory.argmax(axis=1)
  )


def _opinion_of(workdir, data_dir):
  """The table of the examples trained on, and the memory as it was saved."""
  export.export(workdir, data_dir=data_dir)
  table = _read(workdir / 'labels.csv')
  trained = table['held_out'] == 0
  table = {name: values[trained] for name, values in table.items()}
  return table, saved.last(workdir)[1]['memory']


def test_sop_says_what_it_has_learnt_of_each_example(tmp_path, data_dir):
  _run(tmp_path, data_dir, **SOP)
  table, memory = _opinion_of(tmp_path, data_dir)
  label = np.eye(10)[table['label'].astype(int)]
  u, v = memory['u'] ** 2, memory['v'] ** 2
  np.testing.assert_allclose(table['noise'], u[:, 0], rtol=1e-5)
  # e_y - s, which is 1 - u^2 at the label and v^2 elsewhere.
  guess = np.where(label, 1 - u, v).argmax(1)
  np.testing.assert_array_equal(table['guess'], guess)
  changed = guess != table['label']
  assert 0.05 < changed.mean() < 0.5
  assert (guess == table['true_label'])[changed].mean() > 0.5


def test_divide_mix_says_how_sure_its_networks_are(tmp_path, data_dir):
  _run(tmp_path, data_dir, epochs=2, **DIVIDE_MIX)
  table, memory = _opinion_of(tmp_path, data_dir)
  clean = memory['clean']
  np.testing.assert_allclose(table['clean'], clean.mean(1), 1e-5, atol=1e-30)
  assert (clean[:, 0] != clean[:, 1]).any()
  wrong = table['label'] != table['true_label']
  assert table['clean'][wrong].mean() < table['clean'][~wrong].mean() - 0.2


def test_blocks_change_nothing(elr, data_dir, monkeypatch):
  run = restore.load(elr, data_dir=data_dir, local=_local(1))
  whole = label_table.columns(run)
  monkeypatch.setattr(label_table, '_BLOCK', 100)
  for name, values in label_table.columns(run).items():
    np.testing.assert_array_equal(values, whole[name])


@pytest.mark.parametrize(
  ('fields', 'columns'),
  [
    (TWO, ['kept']),
    pytest.param(TRUSTED, ['kept'], marks=pytest.mark.slow),
    pytest.param(ESTIMATED, [], marks=pytest.mark.slow),
  ],
)
def test_two_networks_and_estimated_noise(tmp_path, data_dir, fields, columns):
  _run(tmp_path, data_dir, epochs=3, **fields)
  export.export(tmp_path, data_dir=data_dir)
  table = _read(tmp_path / 'labels.csv')
  assert list(table) == [*label_table.COLUMNS, *columns]
  summary = record.read_summary(tmp_path)
  trained = table['held_out'] == 0
  right = (table['predicted'] == table['label'])[trained].mean()
  assert right == pytest.approx(summary['last']['train_accuracy'], abs=2e-3)
  right = (table['predicted'] == table['label'])[~trained].mean()
  assert right == pytest.approx(
    summary['last']['validation_accuracy'], abs=1e-2
  )


def test_models_of_folds_have_heard_no_label(tmp_path, data_dir):
  _run(tmp_path, data_dir, epochs=1, folds=2)
  run = restore.load(tmp_path, data_dir=data_dir, local=_local(1))
  table = label_table.columns(run)
  assert table['held_out'].all()
  with np.load(tmp_path / 'predictions.npz') as saved:
    np.testing.assert_allclose(
      table['predicted_probability'][saved['index']],
      np.exp(saved['log_probs'].max(axis=1)),
      rtol=1e-4,
    )
    index = saved['index']
  # The examples that are held out from all have theirs apart.
  with np.load(tmp_path / 'validation_predictions.npz') as saved:
    np.testing.assert_array_equal(
      np.sort(np.concatenate([index, saved['index']])), np.arange(NUM_EXAMPLES)
    )
    np.testing.assert_allclose(
      table['predicted_probability'][saved['index']],
      np.exp(saved['log_probs'].max(axis=1)),
      rtol=1e-4,
    )


def test_a_run_reads_the_file_as_its_labels(elr, data_dir, tmp_path):
  path = tmp_path / 'labels.csv'
  export.export(elr, path, data_dir)
  labels = label_file.read(path, num_examples=NUM_EXAMPLES, num_classes=10)
  np.testing.assert_array_equal(labels, _read(path)['label'])


def test_without_noise_the_truth_is_not_known(tmp_path, data_dir):
  _run(tmp_path / 'run', data_dir, epochs=1, **{'noise.name': 'none'})
  run = restore.load(tmp_path / 'run', data_dir=data_dir, local=_local(1))
  assert 'true_label' not in label_table.columns(run)


def test_what_cannot_be_exported_is_said_in_a_sentence(elr, data_dir, tmp_path):
  _, err = programs.run(
    'experiments.export', f'--workdir={tmp_path / "nowhere"}', code=2
  )
  assert err.startswith('error: ')
  assert 'does not exist' in err
  assert not (tmp_path / 'nowhere').exists()

  def refused(workdir, match, **options):
    with pytest.raises((errors.UsageError, errors.RunError), match=match):
      export.export(workdir, data_dir=data_dir, **options)

  refused(tmp_path, 'no config.json')
  refused(elr.parent, f'but {elr.parent}')
  refused(elr, r'\.csv', output=tmp_path / 'labels.txt')
  begun = tmp_path / 'begun'
  record.claim_workdir(begun, record.read_config(elr))
  refused(begun, 'no checkpoint yet')
  assert not (begun / 'checkpoints').exists()
  # What a run that was killed had not saved yet.
  (begun / 'checkpoints/8.orbax-checkpoint-tmp').mkdir(parents=True)
  refused(begun, 'no checkpoint yet')
  (begun / 'config.json').write_text('{"hidden_size": 3}')
  refused(begun, 'hidden_size')
  (tmp_path / 'folder.csv').mkdir()
  refused(elr, 'is a directory', output=tmp_path / 'folder.csv')
  blocked = tmp_path / 'file'
  blocked.write_text('')
  refused(elr, 'cannot be written', output=blocked / 'labels.csv')


def test_other_labels_than_the_runs_are_refused(elr, data_dir, tmp_path):
  config = record.read_config(elr)
  config.update_from_flattened_dict({'epochs': 1, **dict.fromkeys(ELR)})
  path = tmp_path / 'labels.npy'
  label_file.write(path, np.arange(NUM_EXAMPLES), np.arange(NUM_EXAMPLES) % 10)
  config.noise.file = str(path)
  loop.run(config, tmp_path / 'run', data_dir=data_dir, local=_local(1))
  label_file.write(path, np.arange(NUM_EXAMPLES), np.arange(NUM_EXAMPLES) % 9)
  with pytest.raises(errors.RunError, match='changed'):
    restore.load(tmp_path / 'run', data_dir=data_dir, local=_local(1))
