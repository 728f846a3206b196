"""Every field of a run's configuration, with its default and its meaning.

The other files of this folder start from `get_config()` and change what they
need, so a field is explained once, here.
"""

import ml_collections
from ml_collections import config_dict

from experiments import loss_fields
from experiments import named_methods


def get_config() -> ml_collections.ConfigDict:
  """A configuration that trains the embedded digits with cross entropy."""
  config = ml_collections.ConfigDict()

  # Seeds the parameters, the held-out split, the order of the examples and the
  # augmentation. A run is a pure function of its configuration.
  config.seed = 0

  # `digits`, or a TFDS image classification data set by its name.
  config.dataset = 'digits'
  # Height and width to resize images to, for data whose images differ in size.
  config.image_size = config_dict.placeholder(tuple)
  # The share of the training split that is held out, with its noisy labels, to
  # select models by.
  config.validation_fraction = 0.1
  # A file of examples of the training split that take no part: .npy, with the
  # integers that are their indices.
  config.exclude = config_dict.placeholder(str)
  # How many examples of the training split take part, with those that are held
  # out, drawn at random by seed and index; 0 takes all. The whole split is read
  # all the same.
  config.num_examples = 0

  # What makes the labels wrong, at `rate`: `none`, `symmetric`, `pair_flip`,
  # `asymmetric`, `asymmetric_on_mutated_array` (what some official codes do),
  # `random_class_dependent`, `part_dependent` or `margin_dependent`; see
  # docs/noise.md.
  config.noise = ml_collections.ConfigDict()
  config.noise.name = 'symmetric'
  config.noise.rate = 0.3
  # Whether a label that is redrawn can come out right; papers differ.
  config.noise.exclude_true = True
  # Which class is taken for which in asymmetric noise, if not as usual for the
  # data set: `mnist`, `fashion_mnist`, `cifar10`, `cifar100` or
  # `cifar100_blocks`.
  config.noise.class_map = config_dict.placeholder(str)
  # How margin-dependent noise diminishes with the margin: 1, 2 or 3, the types
  # of its paper.
  config.noise.kind = 1
  # Real wrong labels, instead of all that: a feature of the data set, such as
  # `worse_label` of cifar10_n; or a file of labels, as experiments.make_labels
  # writes.
  config.noise.column = config_dict.placeholder(str)
  config.noise.file = config_dict.placeholder(str)
  # Draws the wrong labels; by default the run's seed.
  config.noise.seed = config_dict.placeholder(int)

  # What tells losses of the noise that must be told of it. By default they are
  # told what `config.noise` made. An estimator instead, `confident_joint`,
  # `anchor_points`, `dual_transition`, `hoc`, `em_transition` or, with
  # `num_trusted`, `trusted_transition`, finds out; for it, so many models are
  # trained first, each blind to its own fold of the examples, for so many
  # epochs; for `hoc` and `em_transition` twice as many models.
  config.noise_estimate = config_dict.placeholder(str)
  config.estimation = ml_collections.ConfigDict()
  config.estimation.folds = 5
  config.estimation.epochs = 10

  # Of how many training examples the true labels are known; drawn at random.
  # `learning_to_reweight`, `meta_weight_net` and `gold_loss_correction` learn
  # from them, the last with the noise that `trusted_transition` estimates.
  config.num_trusted = 0

  # Trains so many models, each blind to its own fold, and writes what each
  # predicts for its fold to predictions.npz (and validation_predictions.npz:
  # for the examples that are held out from all); 0 trains one on all examples.
  config.folds = 0

  # A loss of `noisy_labels.losses` and its hyper-parameters: there is a field
  # for each that any of them has, to be set for the loss that is named. A
  # transition matrix or a prior is filled in from the noise of the run.
  config.loss = ml_collections.ConfigDict()
  config.loss.name = 'cross_entropy'
  for parameter, kind in loss_fields.fields().items():
    config.loss[parameter] = config_dict.placeholder(kind)
  # The loss that `backward_corrected` corrects.
  config.loss.base = config_dict.placeholder(str)
  # The losses that `active_passive` adds, times `alpha` and `beta`.
  config.loss.active = config_dict.placeholder(str)
  config.loss.passive = config_dict.placeholder(str)
  # For any loss of one view: what is added to the logit of the label, against
  # underfitting.
  config.loss.margin = config_dict.placeholder(float)
  # For any loss: the norm that logits are clipped to.
  config.loss.max_logit_norm = config_dict.placeholder(float)
  # For losses that cannot begin from nothing: how many epochs of cross entropy
  # come first, and over how many more the loss takes its place.
  config.loss.warm_up_epochs = config_dict.placeholder(float)
  config.loss.ramp_epochs = config_dict.placeholder(float)

  # A method of `noisy_labels.methods` instead of the loss, and its
  # hyper-parameters: there is a field for each that any of them has. The
  # transition matrix, the prior, the noise rate and the trusted labels are the
  # run's.
  config.method = ml_collections.ConfigDict()
  config.method.name = config_dict.placeholder(str)
  for parameter, kind in named_methods.fields().items():
    config.method[parameter] = config_dict.placeholder(kind)
  # `warm_up_epochs` of any method of one view: how many epochs of cross entropy
  # come first. For a method or loss that predicts its batch alone, in one view,
  # `mixup_alpha` mixes each example with another, by Beta(alpha, alpha).
  config.method.mixup_alpha = config_dict.placeholder(float)
  # For any method or loss of one view: remembers what training tells of each
  # label, which experiments.export writes.
  config.method.track_margins = config_dict.placeholder(bool)

  # A network of `experiments/models.py`, and what its layers compute in:
  # `float32` or `bfloat16`. Parameters are float32 in either case.
  config.model = ml_collections.ConfigDict()
  config.model.name = 'small_cnn'
  config.model.dtype = 'float32'

  # Examples in a step, over all devices of all processes together.
  config.batch_size = 64
  config.epochs = 60

  # `sgd` (with `momentum`), `adam` or `adamw`. Weight decay counts for every
  # parameter, as in PyTorch: added to the gradient, or decoupled in `adamw`.
  config.optimizer = ml_collections.ConfigDict()
  config.optimizer.name = 'adam'
  config.optimizer.learning_rate = 2e-3
  config.optimizer.momentum = 0.9
  config.optimizer.nesterov = False
  config.optimizer.weight_decay = 0.0
  # The largest global norm of the gradient; 0 leaves it as it is.
  config.optimizer.max_gradient_norm = 0.0
  # Sharpness-aware minimisation (SAM): how far along the gradient to go for the
  # gradient that counts; 0 is off. Steps take twice the time.
  config.optimizer.sharpness_radius = 0.0

  # The learning rate over the run: `constant`, `cosine` (to 0), `step` (times
  # `factor` at each epoch of `boundaries`), `linear` (to 0 at the end, from the
  # one epoch of `boundaries` on) or `exponential` (times `factor` every
  # `every_epochs`), after a linear warm-up of `warmup_epochs`.
  config.schedule = ml_collections.ConfigDict()
  config.schedule.name = 'cosine'
  config.schedule.warmup_epochs = 0.0
  config.schedule.boundaries = (30, 45)
  config.schedule.factor = 0.1
  config.schedule.every_epochs = 1.0

  # Decay a step of the running average of the weights, which is then what is
  # measured; 0 is off. A method that asks for averages has a decay of its own,
  # `config.method.ema_decay`, which counts where this is 0 and no further.
  config.ema_decay = 0.0

  # Drawn anew for each example in each step; 0 and False leave images alone.
  config.augment = ml_collections.ConfigDict()
  config.augment.crop_padding = 0
  config.augment.flip = False
  config.augment.cutout = 0
  # For methods that ask for a second view of each image: what is done to it
  # before that, as in RandAugment. So many operations drawn at random, such as
  # 2, at a magnitude from 0, which changes nothing, to 1; 0 operations make a
  # second view like the first.
  config.second_view = ml_collections.ConfigDict()
  config.second_view.operations = 0
  config.second_view.magnitude = 0.5

  # Ends the run when the accuracy on held-out noisy labels has not been better
  # for so many epochs; 0 is off.
  config.early_stopping_epochs = 0

  # Epochs between two measurements, and between two checkpoints.
  config.eval_every = 1
  config.checkpoint_every = 10
  # Examples that a device measures at once.
  config.eval_batch_size = 512
  return config
