"""A folder of tiny images, some in the wrong sub-folder."""

import numpy as np
from PIL import Image

CLASSES = ('bars', 'block', 'frame')
EACH = 12
# Images that lie in another folder than their own.
WRONG = {'bars/00.png': 'block', 'frame/05.png': 'bars'}


def image(name, rng):
  """8x8 gray pixels of a class, with noise."""
  pixels = np.zeros((8, 8))
  if name == 'bars':
    pixels[:, ::2] = 200
  elif name == 'block':
    pixels[2:6, 2:6] = 200
  else:
    pixels[[0, 7]] = pixels[:, [0, 7]] = 200
  noisy = pixels + rng.uniform(0, 55, pixels.shape)
  return Image.fromarray(noisy.astype(np.uint8))


def make(root, classes=CLASSES, each=EACH):
  """Writes the folder; returns it."""
  rng = np.random.default_rng(0)
  for name in classes:
    (root / name).mkdir(parents=True)
    for number in range(each):
      path = f'{name}/{number:02}.png'
      image(WRONG.get(path, name), rng).save(root / path)
  return root
