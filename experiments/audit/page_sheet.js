
// Examples as tiles in a sheet. Data only ever become text, never markup.

const ARROW = '\u2192';
const CHUNK = 60;

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// A name that cannot reorder the text around it, whatever its direction.
function nameOf(text) {
  return make('bdi', { title: text }, text);
}

function number(count) {
  return count.toLocaleString('en');
}

function percent(share) {
  if (share === null) return '';
  if (share > 0 && share < 0.005) return '<1%';
  if (share < 1 && share >= 0.995) return '>99%';
  return `${(100 * share).toFixed(0)}%`;
}

// Pictures are of trusted form: base64 that the audit wrote.
function picture(example, alt) {
  const image = make('img', { alt, decoding: 'async', draggable: 'false' });
  image.addEventListener('load', () => {
    image.classList.toggle('tiny', image.naturalWidth <= 48);
  });
  image.src = `data:image/png;base64,${example.picture}`;
  return image;
}

function markName(mark, classNames) {
  if (!mark) return '';
  if (mark.verdict !== 'wrong') return mark.verdict;
  if (mark.corrected === REMOVE) return REMOVE;
  return `is ${classNames[mark.corrected]}`;
}

function markKind(mark) {
  if (!mark) return 'none';
  return mark.corrected === REMOVE ? REMOVE : mark.verdict;
}

function shortName(example) {
  return example.name.split('/').at(-1) || `#${example.index}`;
}

function makeTile({ example, rank }, classNames) {
  const tile = make('div', { class: 'tile', role: 'option', tabindex: '-1' });
  if (example.picture) {
    tile.append(make('div', { class: 'frame' }, picture(example, '')));
  }
  const suggested =
    example.label === example.suggested
      ? [make('span', { class: 'name muted' }, 'agrees')]
      : [`${ARROW}\u00a0`, nameOf(classNames[example.suggested])];
  tile.append(
    make('span', { class: 'given' }, nameOf(classNames[example.label])),
    make(
      'span',
      { class: 'suggested' },
      ...suggested,
      make('span', { class: 'share muted' }, percent(example.confidence))
    ),
    make(
      'span',
      { class: 'about muted' },
      rank ? `${number(rank)} \u00b7 ` : '',
      nameOf(shortName(example))
    ),
    make('span', { class: 'mark' })
  );
  return tile;
}

function showMark(tile, { example, rank }, mark, classNames) {
  tile.dataset.mark = markKind(mark);
  const said = markName(mark, classNames);
  tile.querySelector('.mark').replaceChildren(said && make('bdi', {}, said));
  const given = classNames[example.label];
  const suggested = classNames[example.suggested];
  tile.setAttribute(
    'aria-label',
    `${rank ? `${rank}: ` : ''}${shortName(example)}, given ${given}, ` +
      `suggested ${suggested} ${percent(example.confidence)}, ` +
      `${said || 'not reviewed'}`
  );
}

// A list of examples of which one is chosen. entries: {example, rank}; the
// shown ones are drawn when they come into sight, and kept.
class Sheet {
  constructor(list, entries, page, groupSize = 1, captions = []) {
    Object.assign(this, { list, entries, page, groupSize, captions });
    this.drawn = new Map();
    this.shown = [];
    this.count = 0;
    this.sentinel = make('div', { class: 'sentinel', 'aria-hidden': 'true' });
    list.after(this.sentinel);
    this.watch = new IntersectionObserver(
      (seen) => seen.some((one) => one.isIntersecting) && this.grow(),
      { rootMargin: '800px' }
    );
    this.show(entries);
  }

  show(entries) {
    this.shown = entries;
    this.count = Math.min(Math.max(this.count, CHUNK), entries.length);
    this.#draw(0, this.count, true);
    if (!entries.includes(this.stop) && entries.length) this.stopAt(0);
  }

  // The one tile that the tab key stops at.
  stopAt(at) {
    if (this.stop) this.drawn.get(this.stop).tabIndex = -1;
    this.stop = this.shown[at];
    this.tile(at).tabIndex = 0;
  }

  // Draws up to `least` entries, or some more than there are.
  grow(least = this.count + CHUNK) {
    const count = Math.min(Math.max(least, this.count), this.shown.length);
    if (count > this.count) this.#draw(this.count, count, false);
    this.count = count;
  }

  tile(at) {
    if (at >= this.count) this.grow(at + CHUNK);
    return this.shown[at] && this.#tileOf(this.shown[at]);
  }

  // indices: a set, of the examples whose marks have changed.
  update(indices) {
    for (const [entry, tile] of this.drawn) {
      if (indices.has(entry.example.index)) this.#mark(entry, tile);
    }
  }

  #draw(from, to, afresh) {
    const tiles = this.shown.slice(from, to).map((one, at) => {
      const tile = this.#tileOf(one);
      tile.setAttribute('aria-posinset', from + at + 1);
      tile.setAttribute('aria-setsize', this.shown.length);
      return tile;
    });
    if (afresh) this.list.replaceChildren(...this.#grouped(tiles, from));
    else this.list.append(...this.#grouped(tiles, from));
    // Seen anew, so that a sentinel which is still in sight asks for more.
    this.watch.unobserve(this.sentinel);
    if (to < this.shown.length) this.watch.observe(this.sentinel);
  }

  #grouped(tiles, from) {
    if (this.groupSize === 1) return tiles;
    const groups = [];
    for (let at = 0; at < tiles.length; at += this.groupSize) {
      const caption = this.captions[(from + at) / this.groupSize];
      groups.push(
        make(
          'div',
          { class: 'pair', role: 'group', 'aria-label': caption },
          ...tiles.slice(at, at + this.groupSize),
          make('span', { class: 'caption muted', 'aria-hidden': 'true' }, caption)
        )
      );
    }
    return groups;
  }

  #tileOf(entry) {
    if (!this.drawn.has(entry)) {
      const tile = makeTile(entry, this.page.classNames);
      this.drawn.set(entry, tile);
      this.#mark(entry, tile);
      const choose = () => this.page.choose(this, this.shown.indexOf(entry));
      tile.addEventListener('focus', choose);
      // Safari does not focus what is clicked.
      tile.addEventListener('click', () => tile.focus());
    }
    return this.drawn.get(entry);
  }

  #mark(entry, tile) {
    const mark = this.page.marks.byIndex.get(entry.example.index);
    showMark(tile, entry, mark, this.page.classNames);
  }
}
