import numpy as np
import pytest

from experiments import errors
from experiments.configs import common

torch = pytest.importorskip('torch')
end_to_end_skorch = pytest.importorskip('experiments.end_to_end_skorch')


@pytest.mark.parametrize('name', end_to_end_skorch.MODULES)
def test_it_learns_and_says_how_sure_it_is(name):
  config = common.get_config()
  config.model.name = name
  config.epochs = 20
  labels = np.arange(200) % 3
  images = np.zeros((200, 64), np.float32)
  images[np.arange(200), labels] = 1
  model = end_to_end_skorch.classifier(config, 64, 3).fit(images, labels)
  probs = model.predict_proba(images)
  np.testing.assert_allclose(probs.sum(axis=1), 1, rtol=1e-5)
  np.testing.assert_array_equal(probs.argmax(axis=1), labels)


def test_other_networks_are_refused():
  config = common.get_config()
  config.model.name = 'resnet34'
  with pytest.raises(errors.UsageError, match='resnet34'):
    end_to_end_skorch.classifier(config, 64, 3)
