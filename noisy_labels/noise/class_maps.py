"""Which class is taken for which, as papers have it.

Each map is a tuple: entry i is the class that labels of class i flip to, and
is i itself where they do not flip. Made for `asymmetric`.
"""

from collections.abc import Mapping


def _flips(num_classes: int, flips: Mapping[int, int]) -> tuple[int, ...]:
  return tuple(flips.get(i, i) for i in range(num_classes))


# 7 -> 1, 2 -> 7, 5 <-> 6, 3 -> 8. Patrini et al., 2017 (forward correction),
# whose code, and that of APL, has exactly these.
MNIST = _flips(10, {7: 1, 2: 7, 5: 6, 6: 5, 3: 8})

# Ankle boot -> sneaker, sneaker -> sandal, pullover -> shirt, coat <-> dress.
# Zhang and Sabuncu, 2018 (generalized cross entropy).
FASHION_MNIST = _flips(10, {9: 7, 7: 5, 2: 6, 4: 3, 3: 4})

# Truck -> automobile, bird -> airplane, deer -> horse, cat <-> dog.
# Patrini et al., 2017, and almost everybody since.
CIFAR10 = _flips(10, {9: 1, 2: 0, 4: 7, 3: 5, 5: 3})

# The super-classes of CIFAR-100, in the order of its coarse labels. Fine
# labels count the names of all classes in alphabetical order.
# Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
CIFAR100_SUPER_CLASSES = (
  ('beaver', 'dolphin', 'otter', 'seal', 'whale'),
  ('aquarium_fish', 'flatfish', 'ray', 'shark', 'trout'),
  ('orchid', 'poppy', 'rose', 'sunflower', 'tulip'),
  ('bottle', 'bowl', 'can', 'cup', 'plate'),
  ('apple', 'mushroom', 'orange', 'pear', 'sweet_pepper'),
  ('clock', 'keyboard', 'lamp', 'telephone', 'television'),
  ('bed', 'chair', 'couch', 'table', 'wardrobe'),
  ('bee', 'beetle', 'butterfly', 'caterpillar', 'cockroach'),
  ('bear', 'leopard', 'lion', 'tiger', 'wolf'),
  ('bridge', 'castle', 'house', 'road', 'skyscraper'),
  ('cloud', 'forest', 'mountain', 'plain', 'sea'),
  ('camel', 'cattle', 'chimpanzee', 'elephant', 'kangaroo'),
  ('fox', 'porcupine', 'possum', 'raccoon', 'skunk'),
  ('crab', 'lobster', 'snail', 'spider', 'worm'),
  ('baby', 'boy', 'girl', 'man', 'woman'),
  ('crocodile', 'dinosaur', 'lizard', 'snake', 'turtle'),
  ('hamster', 'mouse', 'rabbit', 'shrew', 'squirrel'),
  ('maple_tree', 'oak_tree', 'palm_tree', 'pine_tree', 'willow_tree'),
  ('bicycle', 'bus', 'motorcycle', 'pickup_truck', 'train'),
  ('lawn_mower', 'rocket', 'streetcar', 'tank', 'tractor'),
)


def _next_of_super_class() -> tuple[int, ...]:
  names = sorted(name for group in CIFAR100_SUPER_CLASSES for name in group)
  label = {name: i for i, name in enumerate(names)}
  return _flips(
    100,
    {
      label[name]: label[group[(i + 1) % len(group)]]
      for group in CIFAR100_SUPER_CLASSES
      for i, name in enumerate(group)
    },
  )


# Every class -> the next of its super-class, and the last -> the first: what
# Patrini et al., 2017, describe. The code of GJS does so.
CIFAR100 = _next_of_super_class()

# Every class -> the next of its five when fine labels are cut into blocks of
# five: 0 -> 1 -> 2 -> 3 -> 4 -> 0, 5 -> 6, and so on. The codes of Patrini et
# al. and of APL do so, under the name of super-classes; but fine labels are in
# alphabetical order, and a block is apple, aquarium fish, baby, bear, beaver.
# Here for comparing with tables that were made so.
CIFAR100_BLOCKS = tuple(i // 5 * 5 + (i + 1) % 5 for i in range(100))
