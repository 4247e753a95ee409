// Which answer was given for which target, where targets are few.
const confused = {}

function drawConfusion(board, task) {
  if (task === null) task = 0
  const found = board.confusion[task]
  if (!found || !found.length) return replace('confusion')
  const chosen = confused[task] ??= {which: 0, row: Number(Object.keys(found[0].counts)[0])}
  const one = found[chosen.which]
  const counts = one.counts[chosen.row]
  const set = key => value => { chosen[key] = Number(value); drawConfusion(board, task) }
  const totals = counts.map(line => line.reduce((a, b) => a + b, 0))
  replace('confusion',
    el('div', {class: 'controls'}, board.tasks.length > 1 && el('span', {class: 'dim'}, board.tasks[task].label),
      found.length > 1 ? choose('Samples', found.map((f, place) => [place, f.title]), chosen.which, set('which'))
        : one.title !== 'all' && el('span', {class: 'dim'}, one.title),
      choose('Model', Object.keys(one.counts).map(place => [place, board.rows[place].name]), chosen.row, set('row'))),
    scroll('Answers against targets', el('table', {class: 'heat compact'},
      el('thead', {}, el('tr', {}, el('th', {scope: 'col'}, 'target ↓ answer →'), one.answers.map(answer => el('th', {scope: 'col'}, answer)), el('th', {scope: 'col'}, 'n'))),
      el('tbody', {}, one.targets.map((target, line) => el('tr', {}, el('th', {scope: 'row'}, target),
        counts[line].map((n, column) => el('td', {class: column === line ? 'shade' : 'down', vars: {'--v': String(totals[line] ? Math.round(60 * n / totals[line]) : 0)}}, n ? count(n) : '·')),
        el('td', {}, count(totals[line]))))))),
    el('p', {class: 'note'}, 'Samples; shade: share of the target’s samples. Blue: the scorer counted it right. Unscored samples are not here.'))
}
