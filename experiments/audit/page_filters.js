
// Which of the suspicious examples are shown.

function startFilters(sheet) {
  const count = (field) => {
    const counts = new Map();
    for (const { example } of sheet.entries) {
      counts.set(example[field], (counts.get(example[field]) ?? 0) + 1);
    }
    return [...counts].sort(([a], [b]) => a - b);
  };
  for (const [id, field] of [
    ['filter-given', 'label'],
    ['filter-suggested', 'suggested'],
  ]) {
    byId(id).append(
      make('option', { value: '' }, 'all'),
      ...count(field).map(([one, times]) =>
        make('option', { value: one }, `${classNames[one]} (${number(times)})`)
      )
    );
  }
  const filters = byId('filters');
  filters.addEventListener('input', () => applyFilters());
  filters.addEventListener('submit', (event) => event.preventDefault());
  byId('clear').addEventListener('click', () => {
    filters.reset();
    applyFilters();
    byId('filter-given').focus();
  });
  linkTables(sheet);
  applyFilters();
}

// fallback: what to choose if the filters hide what is chosen.
function applyFilters(fallback = 0) {
  const sheet = sheets[0];
  if (sheet.list.id !== 'issues') return;
  const given = byId('filter-given').value;
  const suggested = byId('filter-suggested').value;
  const state = byId('filter-state').value;
  const part = byId('filter-name').value.trim().toLowerCase();
  const passes = ({ example }) =>
    (!given || example.label === Number(given)) &&
    (!suggested || example.suggested === Number(suggested)) &&
    (!state || markKind(marks.byIndex.get(example.index)) === state) &&
    (!part || (example.name || `#${example.index}`).toLowerCase().includes(part));
  const entries = sheet.entries.filter(passes);
  const all = entries.length === sheet.entries.length;
  byId('shown').textContent = all ? '' : `${number(entries.length)} shown`;
  byId('clear').hidden = all;
  const same =
    entries.length === sheet.shown.length &&
    entries.every((entry, at) => entry === sheet.shown[at]);
  if (same) return;
  const before = sheet.shown[chosen.at];
  sheet.show(entries);
  if (chosen.sheet !== sheet) return;
  const kept = entries.indexOf(before);
  choose(sheet, kept >= 0 ? kept : Math.min(fallback, entries.length - 1));
}

// Numbers of the summary filter the sheet. Cells of the map are for the mouse
// alone: with keys, the filters do the same.
function linkTables(sheet) {
  const show = (cell) => {
    byId('filters').reset();
    byId('filter-given').value = cell.dataset.given;
    byId('filter-suggested').value = cell.dataset.true ?? '';
    applyFilters();
    byId('suspicious').scrollIntoView();
    choose(sheet, 0);
    goTo(0);
  };
  const shown = new Set();
  for (const { example } of sheet.entries) {
    shown.add(`${example.label}`);
    shown.add(`${example.label} ${example.suggested}`);
  }
  for (const cell of document.querySelectorAll('td[data-given]')) {
    const { given, true: really } = cell.dataset;
    if (!shown.has(really === undefined ? given : `${given} ${really}`)) continue;
    cell.classList.add('linked');
    if (cell.closest('#map')) {
      cell.addEventListener('click', () => show(cell));
    } else {
      const button = make(
        'button',
        { type: 'button', class: 'link', title: 'show these' },
        cell.textContent
      );
      button.addEventListener('click', () => show(cell));
      cell.replaceChildren(button);
    }
  }
}
