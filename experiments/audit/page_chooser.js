
// The dialog in which a person says what an example is.

const MOST_CLASSES = 100;

function openChooser(example) {
  byId('chooser-search').value = '';
  listClasses(example);
  byId('chooser').showModal();
  byId('chooser-search').focus();
}

function listClasses(example) {
  const { label, suggested } = example;
  const part = byId('chooser-search').value.trim().toLowerCase();
  const name = (one) => classNames[one].toLowerCase();
  const found = [...classNames.keys()].filter(
    (one) => name(one).includes(part) || String(one) === part
  );
  // First who is named so, then who is suggested.
  const first = (one) =>
    (name(one) === part ? 2 : 0) + (one === suggested && one !== label ? 1 : 0);
  found.sort((a, b) => first(b) - first(a) || a - b);
  byId('chooser-list').replaceChildren(
    ...found.slice(0, MOST_CLASSES).map((one) => {
      const note = one === label ? 'given' : one === suggested ? 'suggested' : '';
      return make(
        'li',
        { role: 'option', id: `class-${one}`, 'data-number': one },
        nameOf(classNames[one]),
        make('span', { class: 'muted' }, note)
      );
    })
  );
  const more = found.length - MOST_CLASSES;
  byId('chooser-more').textContent = [
    more > 0 && `and ${number(more)} more: type a part of the name`,
    !found.length && 'No class is called so.',
  ].find(Boolean) || '';
  // Nothing is chosen by accident.
  const sure = part || (found.length && first(found[0]));
  pointChooser(sure ? byId('chooser-list').firstElementChild : null);
}

function pointChooser(option) {
  const search = byId('chooser-search');
  for (const other of byId('chooser-list').children) {
    other.setAttribute('aria-selected', String(other === option));
  }
  if (option) search.setAttribute('aria-activedescendant', option.id);
  else search.removeAttribute('aria-activedescendant');
  option?.scrollIntoView({ block: 'nearest' });
}

function takeClass(option) {
  const { example } = current();
  byId('chooser').close();
  const one = Number(option.dataset.number);
  if (one === example.label) mark(example, 'right', '');
  else mark(example, 'wrong', String(one));
}

function chooserKey(event) {
  if (!['Enter', 'ArrowDown', 'ArrowUp'].includes(event.key)) return;
  event.preventDefault();
  const list = byId('chooser-list');
  const option = list.querySelector('[aria-selected="true"]');
  if (event.key === 'Enter') {
    if (option) takeClass(option);
    return;
  }
  const next = event.key === 'ArrowUp'
    ? option?.previousElementSibling
    : option ? option.nextElementSibling : list.firstElementChild;
  if (next) pointChooser(next);
}
