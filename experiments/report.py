"""report.html: one page, self-contained, of a sweep's results."""

from collections.abc import Callable
import io
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import jinja2
import matplotlib as mpl
from matplotlib import figure as mpl_figure
from matplotlib import ticker
import ml_collections
import numpy as np

from experiments import build
from experiments import devices
from experiments import log
from experiments import table

Summaries = dict[str, list[dict[str, Any]]]


def write(
  workdir: pathlib.Path,
  sweep: ml_collections.ConfigDict,
  summaries: Summaries,
) -> pathlib.Path:
  """Writes the report of a finished sweep.

  Args:
    workdir: the sweep's directory, with its runs.
    sweep: its configuration.
    summaries: for each system, the summaries of its seeds.

  Returns:
    The path of the page.
  """
  curves = {
    name: [
      log.read(workdir / name / f'seed{seed}' / 'metrics.jsonl')
      for seed in range(len(runs))
    ]
    for name, runs in summaries.items()
  }
  first = next(iter(summaries.values()))[0]
  losses = {
    name: build.make_loss(build.one_config(sweep, fields, 0).loss)
    for name, fields in sweep.systems.items()
  }
  environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
  )
  page = environment.get_template('report.html').render(
    title=title(sweep, summaries),
    columns=table.COLUMNS,
    rows=table.rows(summaries),
    losses={name: dict(loss.keywords) for name, loss in losses.items()},
    base=sweep.base,
    seeds=sweep.seeds,
    environment=devices.describe(),
    noise_rate=first['noise_rate'],
    accuracy=_svg(_draw_curves(curves, 'test_accuracy', 'test accuracy')),
    memorised=_svg(_draw_curves(curves, 'memorised', 'wrong labels memorised')),
    trust=_svg(_draw_trust_weights(losses, len(first['class_names']))),
    confusion=_svg(_draw_confusion(first)),
  )
  path = workdir / 'report.html'
  log.write_text(path, page)
  return path


def title(sweep: ml_collections.ConfigDict, summaries: Summaries) -> str:
  """What the sweep compares, in a line."""
  noise = sweep.base.noise
  convention = 'excluding' if noise.exclude_true else 'including'
  made = sorted(
    100 * run['noise_rate'] for runs in summaries.values() for run in runs
  )
  seeds = 'seed' if sweep.seeds == 1 else 'seeds'
  return (
    f'{sweep.base.dataset}, {noise.name} noise at {noise.rate:.0%} '
    f'({convention} the true class; {made[0]:.1f} to {made[-1]:.1f}% of the '
    f'labels came out wrong), {sweep.seeds} {seeds}'
  )


def trust_weights(
  loss: Callable[..., jax.Array], probs: np.ndarray, num_classes: int
) -> np.ndarray:
  """How strongly a loss pulls up a label of each probability.

  The gradient at the label's logit over that of cross entropy, `p_y - 1`, the
  rest of the probability being spread evenly. For losses of `p_y` alone this
  is their trust weight, whatever the rest.

  Args:
    loss: `(logits, labels) -> losses`.
    probs: probabilities of the label, in (0, 1).
    num_classes: how many classes there are.

  Returns:
    The weights, of the shape of `probs`.
  """
  others = jnp.broadcast_to(
    jnp.log((1 - probs) / (num_classes - 1))[:, None],
    (len(probs), num_classes - 1),
  )
  logits = jnp.concatenate([jnp.log(probs)[:, None], others], axis=1)
  labels = jnp.zeros(len(probs), jnp.int32)
  gradient = jax.grad(lambda z: jnp.sum(loss(z, labels)))(logits)
  return np.asarray(gradient[:, 0] / (probs - 1))


def _draw_curves(
  curves: dict[str, list[list[dict[str, Any]]]], measure: str, label: str
) -> mpl_figure.Figure:
  figure, axes = _figure()
  for name, runs in curves.items():
    epochs = [line['epoch'] for line in runs[0]]
    values = np.array([[line[measure] for line in run] for run in runs])
    mean = np.mean(values, axis=0)
    (curve,) = axes.plot(epochs, mean, label=name.replace('_', ' '))
    if len(runs) > 1:
      std = np.std(values, axis=0, ddof=1)
      axes.fill_between(
        epochs, mean - std, mean + std, color=curve.get_color(), alpha=0.2
      )
  axes.set_xlabel('epoch')
  axes.set_ylabel(label)
  axes.yaxis.set_major_formatter(ticker.PercentFormatter(1, decimals=0))
  _legend_below(figure)
  return figure


def _draw_trust_weights(
  losses: dict[str, Callable[..., jax.Array]], num_classes: int
) -> mpl_figure.Figure:
  figure, axes = _figure()
  # Denser where clipping jumps, so that its edge is drawn upright.
  probs = np.unique(
    np.concatenate([np.geomspace(1e-4, 0.99, 2000), np.linspace(0.1, 0.99)])
  )
  for name, loss in losses.items():
    weights = trust_weights(loss, probs, num_classes)
    axes.plot(probs, weights, label=name.replace('_', ' '))
  axes.axhline(0, color='0.6', linewidth=0.8)
  axes.set_xscale('log')
  axes.set_ylim(-0.6, 1.1)
  axes.set_xlabel('probability of the label given, p_y')
  axes.set_ylabel('weight of the pull towards the label')
  _legend_below(figure)
  return figure


def _draw_confusion(summary: dict[str, Any]) -> mpl_figure.Figure:
  counts = np.array(summary['noise_counts'])
  names = summary['class_names']
  figure, axes = _figure(height=4.6)
  image = axes.imshow(np.where(np.eye(len(counts)) > 0, np.nan, counts))
  figure.colorbar(image, ax=axes, label='wrong labels')
  if len(names) <= 20:
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    middle = np.nanmax(image.get_array()) / 2
    for (i, j), count in np.ndenumerate(counts):
      dark = i == j or count > middle
      axes.text(
        j,
        i,
        str(count),
        ha='center',
        va='center',
        fontsize=8,
        color='black' if dark else 'white',
      )
  axes.set_xlabel('label given')
  axes.set_ylabel('true class')
  return figure


def _figure(height: float = 3.8) -> tuple[mpl_figure.Figure, Any]:
  # Not pyplot: it keeps figures and chooses a screen, where there may be none.
  figure = mpl_figure.Figure(figsize=(6.4, height), layout='constrained')
  axes = figure.subplots()
  axes.spines[['top', 'right']].set_visible(False)
  return figure, axes


def _legend_below(figure: mpl_figure.Figure) -> None:
  # Outside the axes there is no curve to hide.
  figure.legend(frameon=False, loc='outside lower center', ncols=2)


def _svg(figure: mpl_figure.Figure) -> str:
  text = io.StringIO()
  with mpl.rc_context({'svg.hashsalt': 'noisy_labels'}):
    figure.savefig(text, format='svg', metadata={'Date': None})
  svg = text.getvalue()
  return svg[svg.index('<svg') :]
