
// The chosen example, keys and buttons, and what leaves the page and comes back.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId('data').textContent);
const classNames = data.class_names;
const marks = new Marks(data.key, classNames.length);
const page = { classNames, marks, choose };
const sheets = [];
const chosen = { sheet: null, at: 0 };
const review = byId('review');

function start() {
  for (const element of document.querySelectorAll('.actions, #review')) {
    element.hidden = false;
  }
  // Of an example that is no issue, the rank is 0.
  const ranks = new Map(data.issues.map((at, rank) => [at, rank + 1]));
  const entry = (at) => ({
    example: data.examples[at],
    rank: ranks.get(at) ?? 0,
  });
  if (data.issues.length) {
    sheets.push(new Sheet(byId('issues'), data.issues.map(entry), page));
    startFilters(sheets[0]);
  }
  if (data.pairs.length) {
    const both = data.pairs.flatMap(([one, other]) => [entry(one), entry(other)]);
    const captions = data.pairs.map(([, , far]) => `distance ${far}`);
    sheets.push(new Sheet(byId('pairs'), both, page, 2, captions));
  }
  if (data.outliers.length) {
    const all = data.outliers.map(([at]) => entry(at));
    sheets.push(new Sheet(byId('outliers'), all, page));
  }
  choose(sheets[0], 0);
  showCount();
  say('');
  listen();
}

// Which example the buttons and keys speak of.

function choose(sheet, at) {
  document
    .querySelector('.tile[aria-selected="true"]')
    ?.setAttribute('aria-selected', 'false');
  Object.assign(chosen, { sheet, at });
  if (current()) {
    sheet.tile(at).setAttribute('aria-selected', 'true');
    sheet.stopAt(at);
  }
  showChosen();
}

function current() {
  return chosen.sheet.shown[chosen.at];
}

function goTo(at) {
  const { sheet } = chosen;
  const place = Math.max(Math.min(at, sheet.shown.length - 1), 0);
  const tile = sheet.tile(place);
  choose(sheet, place);
  if (!tile) {
    byId('clear')?.focus();
    return;
  }
  // Who presses the buttons stays there.
  if (!document.activeElement?.closest('.verdicts')) {
    tile.focus({ preventScroll: true });
  }
  tile.scrollIntoView({ block: 'nearest' });
}

// The nearest tile of the row below (1) or above (-1).
function inNextRow(direction) {
  const { sheet, at } = chosen;
  const here = sheet.tile(at).getBoundingClientRect();
  let best = at;
  let row = null;
  let least = Infinity;
  for (let to = at + direction; sheet.tile(to); to += direction) {
    const there = sheet.tile(to).getBoundingClientRect();
    if (Math.abs(there.top - here.top) < 2) continue;
    row ??= there.top;
    if (Math.abs(there.top - row) >= 2) break;
    if (Math.abs(there.left - here.left) < least) {
      least = Math.abs(there.left - here.left);
      best = to;
    }
  }
  return best;
}

function showChosen() {
  const entry = current();
  const panel = document.querySelector('.panel');
  panel.hidden = !entry;
  if (!entry) return;
  const { example, rank } = entry;
  const agrees = example.label === example.suggested;
  const mark = marks.byIndex.get(example.index);
  const withShare = (one, share) => [
    nameOf(classNames[one]),
    make('span', { class: 'muted' }, ` ${percent(share)}`),
  ];
  if (example.picture) {
    byId('chosen-picture').replaceChildren(
      picture(example, `Example ${example.index}`)
    );
  }
  byId('chosen-given').replaceChildren(
    ...withShare(example.label, example.label_probability)
  );
  byId('chosen-suggested').replaceChildren(
    ...(agrees
      ? ['nothing else']
      : withShare(example.suggested, example.confidence))
  );
  byId('chosen-name').replaceChildren(
    nameOf(example.name || `#${example.index}`)
  );
  byId('chosen-rank-title').textContent = rank ? 'rank' : 'score';
  byId('chosen-rank').textContent = rank
    ? `${number(rank)}, score ${example.score}`
    : example.score;
  byId('chosen-mark').replaceChildren(
    nameOf(markName(mark, classNames) || 'not yet')
  );
  for (const button of panel.querySelectorAll('[data-verdict]')) {
    const kind = button.dataset.verdict;
    const pressed = kind === markKind(mark);
    if (kind !== 'choose') button.setAttribute('aria-pressed', String(pressed));
  }
}

// Marking.

function act(verdict) {
  const entry = current();
  if (!entry) return;
  const { example } = entry;
  if (verdict === 'choose') openChooser(example);
  else if (verdict === 'remove') mark(example, 'wrong', REMOVE);
  else if (verdict !== 'wrong') mark(example, verdict, '');
  // A label that is as suggested can be wrong too, but who knows what it is?
  else if (example.label === example.suggested) openChooser(example);
  else mark(example, 'wrong', String(example.suggested));
}

function mark(example, verdict, corrected) {
  const { index, name, label, suggested } = example;
  const one = { index, name, label, suggested, verdict, corrected };
  marks.set([[index, one]]);
  refresh([index], `${shortName(example)}: ${markName(one, classNames)}`, 1);
}

function unmark() {
  const entry = current();
  if (!entry || !marks.byIndex.has(entry.example.index)) return;
  marks.set([[entry.example.index, undefined]]);
  refresh([entry.example.index], `${shortName(entry.example)}: no mark`, 0);
}

function undo() {
  const indices = marks.undo();
  if (!indices.length) return say('There is nothing to undo.');
  refresh(indices, 'Undone.', 0);
  const at = chosen.sheet.shown.findIndex(
    (one) => one.example.index === indices[0]
  );
  if (at >= 0) goTo(at);
}

// After marks have changed: steps is how far to go on in the sheet.
function refresh(indices, message, steps) {
  const before = current();
  showMarks(indices, chosen.at);
  // What the filters now hide has made room for the next one.
  goTo(chosen.at + (current() === before ? steps : 0));
  say(message);
}

function showMarks(indices, fallback) {
  const changed = new Set(indices);
  for (const sheet of sheets) sheet.update(changed);
  applyFilters(fallback);
  showChosen();
  showCount();
}

function say(message) {
  const warning = marks.kept
    ? ''
    : ' This browser does not keep marks: export them before you leave.';
  byId('status').textContent = (message + warning).trim();
}

function showCount() {
  const issues = data.issues.map((at) => data.examples[at].index);
  const done = issues.filter((index) => marks.byIndex.has(index)).length;
  const others = marks.byIndex.size - done;
  byId('progress').max = Math.max(issues.length, 1);
  byId('progress').value = done;
  byId('count').textContent =
    `${number(done)} of ${number(issues.length)} reviewed` +
    (others ? `, and ${number(others)} more` : '');
  byId('undo').disabled = !marks.changes.length;
  byId('export').disabled = !marks.byIndex.size;
}

// reviewed.csv.

function save() {
  const text = writeCsv(marks.byIndex.values());
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  const link = make('a', { href: url, download: 'reviewed.csv' });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
  say(`${number(marks.byIndex.size)} marks are written to reviewed.csv.`);
}

async function load() {
  const file = byId('file').files[0];
  byId('file').value = '';
  if (!file) return;
  try {
    const labels = new Map(data.examples.map((one) => [one.index, one.label]));
    const read = readCsv(await file.text(), labels, classNames.length);
    marks.set(read.map((mark) => [mark.index, mark]));
    showMarks(read.map((mark) => mark.index), 0);
    say(`${number(read.length)} marks are read.`);
  } catch (error) {
    say(`${file.name} is not taken: ${error.message}.`);
  }
}

// Keys and buttons.

const KEYS = {
  w: () => act('wrong'),
  r: () => act('right'),
  u: () => act('unsure'),
  x: () => act('remove'),
  c: () => act('choose'),
  z: undo,
  Backspace: unmark,
  '?': () => byId('keys').showModal(),
  j: () => goTo(chosen.at + 1),
  k: () => goTo(chosen.at - 1),
};
const ARROWS = {
  ArrowRight: () => goTo(chosen.at + 1),
  ArrowLeft: () => goTo(chosen.at - 1),
  ArrowDown: () => goTo(inNextRow(1)),
  ArrowUp: () => goTo(inNextRow(-1)),
  Home: () => goTo(0),
  End: () => goTo(chosen.sheet.shown.length - 1),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest('input, select')) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const inSheet = event.target.closest('.sheet, .panel');
  const action = KEYS[key] ?? (inSheet && ARROWS[key]);
  if (!action) return;
  event.preventDefault();
  // A key that is held down moves, but marks one example only.
  if (!event.repeat || 'jk'.includes(key) || ARROWS[key]) action();
}

function listen() {
  review.addEventListener('keydown', onKey);
  byId('start').addEventListener('click', () => {
    review.scrollIntoView();
    goTo(chosen.at);
  });
  for (const button of document.querySelectorAll('[data-verdict]')) {
    button.addEventListener('click', () => {
      if (button.getAttribute('aria-pressed') === 'true') unmark();
      else act(button.dataset.verdict);
    });
  }
  byId('undo').addEventListener('click', undo);
  byId('export').addEventListener('click', save);
  byId('import').addEventListener('click', () => byId('file').click());
  byId('file').addEventListener('change', load);
  byId('help').addEventListener('click', () => byId('keys').showModal());
  byId('chooser-search').addEventListener('input', () =>
    listClasses(current().example)
  );
  byId('chooser-search').addEventListener('keydown', chooserKey);
  byId('chooser-list').addEventListener('click', (event) => {
    const option = event.target.closest('li');
    if (option) takeClass(option);
  });
  // The same page in another tab.
  addEventListener('storage', (event) => {
    if (event.key !== data.key) return;
    marks.load();
    showMarks(data.examples.map((one) => one.index), 0);
  });
}

start();
