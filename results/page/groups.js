// Scores per group, and what each group gained or lost against where training began.
const grouping = {field: null, mode: 'score'}

function drawGroups(board, task) {
  if (task === null) task = 0
  const fields = Object.keys(board.groups[task] || {})
  const mode = grouping.mode
  const hasChange = Object.values(board.matrix).some(matrix => matrix.rows.some(([, base]) => base !== null))
  if (!fields.length && !hasChange) return replace('groups')
  if (!fields.includes(grouping.field)) grouping.field = fields[0] ?? ''
  const set = key => value => { grouping[key] = value; drawGroups(board, task) }
  replace('groups',
    el('div', {class: 'controls'}, board.tasks.length > 1 && el('span', {class: 'dim'}, board.tasks[task].label),
      fields.length > 0 && buttons('Group by', fields.map(field => [field, `by ${field}`]), grouping.field, set('field')),
      hasChange && buttons('Show', [['score', 'score'], ['change', 'change from base']], mode, set('mode'))),
    mode === 'score' ? heatMap(board, task, grouping.field) : changes(board, task, grouping.field))
}

function heatMap(board, task, field) {
  const {names, scores} = board.groups[task][field] || {names: [], scores: []}
  const sizes = names.map((_, group) => Math.max(0, ...scores.map(row => row && row[group] ? row[group][3] : 0)))
  // A narrow interval in whole percent would have two equal ends.
  const ends = ([, low, high]) => [low, high].map(end => percent(end, high - low < 0.02 ? 1 : 0)).join('–')
  const cell = score => score
    ? el('td', {class: 'shade', vars: {'--v': String(Math.round(5 + 55 * score[0]))}}, percent(score[0]),
      el('small', {}, ends(score)))
    : el('td', {}, '–')
  return [
    scroll(`Scores by ${field}`, el('table', {class: 'heat'},
      el('thead', {}, el('tr', {}, el('th', {scope: 'col'}, 'Model'), el('th', {scope: 'col'}, 'all'),
        names.map((name, group) => el('th', {scope: 'col'}, name, el('span', {class: 'sub'}, `n ${count(sizes[group])}`))))),
      el('tbody', {}, board.rows.map((row, place) => scores[place] && el('tr', {},
        el('th', {scope: 'row'}, row.name), cell(board.cells[place][task].score), scores[place].map(cell)))))),
    el('p', {class: 'note'}, 'Percent, with its 95% interval below; n counts scored samples.'),
  ]
}

function changes(board, task, field) {
  const all = board.matrix['']
  const groups = board.matrix[field] || {measures: [], cells: all.rows.map(() => [])}
  const own = groups.measures.map(([of, group], place) => ({place, of, group})).filter(one => one.of === task)
  const wholes = all.measures.map(([of], place) => ({place, of}))
  const pairs = (cells, place) => el('span', {class: 'sub'}, `n ${count(Math.max(0, ...cells.map(row => row[place] ? row[place][4] : 0)))}`)
  const cell = found => {
    if (!found) return el('td', {}, '–')
    const [difference, low, high, p] = found
    const side = difference > 0 ? 'up' : difference < 0 ? 'down' : ''
    return el('td', {class: `${side} ${p < 0.05 ? 'hit' : ''}`, vars: {'--v': String(Math.round(Math.min(60, 160 * Math.abs(difference))))}},
      signed(difference) + (p < 0.05 ? ' *' : ''), el('small', {}, `${signed(low, 0)} … ${signed(high, 0)}`))
  }
  return [
    scroll('Change from base', el('table', {class: 'heat'},
      el('thead', {}, el('tr', {}, el('th', {scope: 'col'}, 'In training order'),
        wholes.map(one => el('th', {scope: 'col'}, board.tasks[one.of].label, pairs(all.cells, one.place))),
        own.map(one => el('th', {scope: 'col'}, one.group, pairs(groups.cells, one.place))))),
      el('tbody', {}, all.rows.map(([place, base], row) => el('tr', {},
        el('th', {scope: 'row'}, board.rows[place].name, el('span', {class: 'sub'}, base === null ? 'a base' : `against ${board.rows[base].name}`)),
        wholes.map(one => cell(all.cells[row][one.place])), own.map(one => cell(groups.cells[row][one.place]))))))),
    el('p', {class: 'note'}, 'Points against the oldest ancestor that has a row, paired, with 95% interval. * p < .05 after Holm over the cells of a row (with the groups of one field).'),
  ]
}
