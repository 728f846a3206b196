'use strict';

// What a person has said of examples, and reviewed.csv, in which it leaves.

const COLUMNS = ['index', 'name', 'label', 'suggested', 'verdict', 'corrected'];
const VERDICTS = ['wrong', 'right', 'unsure'];
const REMOVE = 'remove';

// Spreadsheets run cells that begin so. An apostrophe in front stops them; that
// names may begin with apostrophes themselves keeps this reversible.
function guard(name) {
  return /^'*[=+\-@\t\r\n]/.test(name) ? `'${name}` : name;
}

function unguard(name) {
  return /^'+[=+\-@\t\r\n]/.test(name) ? name.slice(1) : name;
}

function writeCsv(marks) {
  const quote = (text) =>
    /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const line = (mark) =>
    COLUMNS.map((column) =>
      quote(column === 'name' ? guard(mark.name) : String(mark[column]))
    ).join(',');
  const sorted = [...marks].sort((a, b) => a.index - b.index);
  return [COLUMNS.join(','), ...sorted.map(line), ''].join('\n');
}

function parseCsv(text) {
  const rows = [[]];
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|\r|$)/y;
  for (let end = ','; end !== ''; ) {
    const found = cell.exec(text);
    if (!found) throw new Error(`row ${rows.length} has a stray quote`);
    const quoted = found[1].startsWith('"');
    rows.at(-1).push(
      quoted ? found[1].slice(1, -1).replaceAll('""', '"') : found[1]
    );
    end = found[2];
    if (end !== ',' && end !== '') rows.push([]);
  }
  return rows.filter((row) => row.length > 1 || row[0]);
}

function wholeNumber(text, below) {
  const number = Number(text);
  return /^\d+$/.test(text) && number < below ? number : null;
}

// A mark as it is kept, of what a file or the browser's storage says of it.
function checkMark(raw, numClasses) {
  const index = wholeNumber(raw.index, Number.MAX_SAFE_INTEGER);
  const label = wholeNumber(raw.label, numClasses);
  const suggested = wholeNumber(raw.suggested, numClasses);
  if (index === null) throw new Error(`${raw.index} is no index`);
  if (label === null) throw new Error(`${raw.label} is no class`);
  if (suggested === null) throw new Error(`${raw.suggested} is no class`);
  if (!VERDICTS.includes(raw.verdict)) {
    throw new Error(`${raw.verdict || 'nothing'} is no verdict`);
  }
  let corrected = '';
  if (raw.verdict === 'wrong') {
    corrected = String(raw.corrected);
    const number = wholeNumber(corrected, numClasses);
    if (corrected !== REMOVE && (number === null || number === label)) {
      throw new Error(`${corrected || 'nothing'} is no other class`);
    }
  }
  const name = String(raw.name);
  return { index, name, label, suggested, verdict: raw.verdict, corrected };
}

// The marks of a reviewed.csv; an error names the row. labels: by index, of
// the examples of this page.
function readCsv(text, labels, numClasses) {
  const [header, ...rows] = parseCsv(text.replace(/^\ufeff/, ''));
  if (!header || header.join() !== COLUMNS.join()) {
    throw new Error(`the first line must be ${COLUMNS.join()}`);
  }
  const seen = new Set();
  return rows.map((row, at) => {
    const raw = Object.fromEntries(COLUMNS.map((c, i) => [c, row[i] ?? '']));
    try {
      const mark = checkMark({ ...raw, name: unguard(raw.name) }, numClasses);
      if (seen.has(mark.index)) throw new Error(`${mark.index} is there twice`);
      seen.add(mark.index);
      const label = labels.get(mark.index) ?? mark.label;
      if (label !== mark.label) {
        throw new Error(
          `example ${mark.index} has label ${mark.label} there and ${label} here`
        );
      }
      return mark;
    } catch (error) {
      throw new Error(`row ${at + 2}: ${error.message}`);
    }
  });
}

// Marks by index, kept in the browser, with every change to be undone. Marks of
// examples that this page does not show are kept and exported too: an audit
// that is run again shows others.
class Marks {
  constructor(key, numClasses) {
    this.key = key;
    this.numClasses = numClasses;
    this.byIndex = new Map();
    this.changes = [];
    this.kept = true;
    this.load();
  }

  load() {
    this.byIndex.clear();
    let raws = [];
    try {
      raws = JSON.parse(localStorage.getItem(this.key) ?? '[]');
    } catch {
      this.kept = false;
    }
    for (const raw of Array.isArray(raws) ? raws : []) {
      try {
        const mark = checkMark(raw, this.numClasses);
        this.byIndex.set(mark.index, mark);
      } catch {
        // Not written by this page.
      }
    }
  }

  // changes: [index, mark or undefined], of which the last one counts.
  set(changes) {
    const before = changes.map(([index]) => [index, this.byIndex.get(index)]);
    this.changes.push(before);
    this.#put(changes);
  }

  // The indices of what was changed back.
  undo() {
    const before = this.changes.pop() ?? [];
    this.#put(before);
    return before.map(([index]) => index);
  }

  #put(changes) {
    for (const [index, mark] of changes) {
      if (mark) this.byIndex.set(index, mark);
      else this.byIndex.delete(index);
    }
    try {
      const all = [...this.byIndex.values()];
      localStorage.setItem(this.key, JSON.stringify(all));
      this.kept = true;
    } catch {
      this.kept = false;
    }
  }
}
