// The table of scores: one task with every detail, or all tasks side by side.
const MARKS = {best: '●', tied: '○', behind: '', untested: ''}
const LEGEND = '● highest score of the rows with all samples. ○ cannot be told from it: paired, clustered test at 5% over the number of tests in the column, so that the marked rows hold the truly best of these with at least 95% probability. part: under 90% of the samples that other rows have; not ranked. Intervals are 95%, clustered.'
let sorting = null

function rowName(row, cell) {
  const origin = [row.recipe, row.base && `from ${row.base}`].filter(Boolean).join(' · ')
  return el('th', {scope: 'row', class: cell ? 'marked' : null, title: row.digest ? `${row.model}\nweights ${row.digest}` : row.model},
    cell && el('span', {class: 'mark', title: cell.standing}, MARKS[cell.standing]),
    row.name, cell && cell.partial && el('span', {class: 'badge'}, 'part of the samples'),
    origin && el('span', {class: 'sub'}, origin))
}
function scoreCell(cell) {
  if (!cell || !cell.score) return el('td', {}, '–')
  const [mean, low, high] = cell.score
  return el('td', {}, percent(mean), ' ', el('span', {class: 'ci'}, `[${percent(low)}, ${percent(high)}]`))
}

// columns: {key, title, value(row) → to sort by, cell(row) → td, first: 'descending' when that is asked first}
function sortable(columns, rows, redraw, rowClass) {
  const {key, descending} = sorting
  const by = columns.find(column => column.key === key) || columns[0]
  const compare = (a, b) => {
    const [x, y] = [by.value(a), by.value(b)]
    if (x === null || y === null) return (x === null) - (y === null)
    const order = typeof x === 'string' ? x.localeCompare(y) : x - y
    return descending ? -order : order
  }
  const head = columns.map(column => el('th', {
    scope: 'col', class: column.left && 'left',
    'aria-sort': column.value && column === by ? (descending ? 'descending' : 'ascending') : null,
  }, column.value
    ? el('button', {type: 'button', 'data-key': column.key, on: {click: () => {
      sorting = {key: column.key, descending: column === by ? !descending : column.key !== 'name'}
      redraw()
      document.querySelector(`#leaderboard [data-key="${column.key}"]`).focus()
    }}}, column.title)
    : column.title, column.axis && column.axis()))
  return el('table', {}, el('thead', {}, el('tr', {}, head)),
    el('tbody', {}, [...rows].sort(compare).map(row => el('tr', {class: rowClass(row)}, columns.map(column => column.cell(row))))))
}

function drawLeaderboard(board, task) {
  if (!sorting) sorting = {key: `score-${task === null ? 0 : task}`, descending: true}
  const redraw = () => drawLeaderboard(board, task)
  const table = task === null ? overview(board, redraw) : taskTable(board, task, redraw)
  replace('leaderboard', scroll('Scores', table), el('p', {class: 'note'}, LEGEND), signatures(board, task), reportedRows(board, task))
}

function signatures(board, task) {
  const signed = board.tasks.filter((one, place) => one.metric && (task === null || task === place))
  return signed.length && el('ul', {class: 'notes'}, signed.map(one => el('li', {}, `${one.label}: ${one.metric}`)))
}

function scoreDomain(board, task) {
  const shown = board.cells.map(cells => cells[task]).filter(cell => cell && cell.score)
  return niceDomain(shown.flatMap(cell => cell.score.slice(1, 3)).concat(shown.length ? [] : [0, 1]), 0, 1, 0.1)
}
const markCell = (domain, cell) => el('td', {class: 'left'}, cell && cell.score
  ? intervalMark(domain, cell.score, cell.partial ? 'faint' : cell.standing) : null)

// How a column beside the score is drawn; which there are, in which order, the data says.
const DRAWN = {
  share: value => el('td', {}, whole(value)),
  count: value => el('td', {}, value === null ? '–' : count(value)),
  rate: value => el('td', {}, value === null ? '–' : value.toFixed(1)),
  seconds: value => el('td', {}, seconds(value)),
  p: (value, cell) => el('td', {}, cell.standing === 'best' ? 'best' : pText(value)),
  unscored: (value, cell) => el('td', {title: cell.reasons.map(([reason, n]) => `${n}: ${reason}`).join('\n')}, count(value)),
}

function taskTable(board, task, redraw) {
  const rows = board.rows.map((row, place) => ({row, cell: board.cells[place][task]})).filter(one => one.cell)
  const domain = scoreDomain(board, task)
  const number = (key, title, value, text) => ({key, title, value: one => value(one), cell: one => el('td', {}, text(one))})
  return sortable([
    {key: 'name', title: 'Model', value: one => one.row.name, cell: one => rowName(one.row, one.cell)},
    {key: `score-${task}`, title: 'Score, %', value: one => one.cell.score ? one.cell.score[0] : null, cell: one => scoreCell(one.cell)},
    {key: 'interval', title: '', left: true, axis: () => axis(domain, t => percent(t, 0)), cell: one => markCell(domain, one.cell)},
    number('n', 'n', one => one.cell.score ? one.cell.score[3] : 0, one => one.cell.score ? count(one.cell.score[3]) : '0'),
    ...board.besides.map(({key, title, drawn}) => ({key, title, value: one => one.cell[key], cell: one => DRAWN[drawn](one.cell[key], one.cell)})),
    number('size', 'Weights', one => one.row.parameters, one => parameters(one.row.parameters)),
  ], rows, redraw, one => one.cell.standing)
}

function overview(board, redraw) {
  const rows = board.rows.map((row, place) => ({row, cells: board.cells[place]}))
  const columns = board.tasks.map((task, place) => {
    const domain = scoreDomain(board, place)
    const value = one => one.cells[place] && one.cells[place].score ? one.cells[place].score[0] : null
    return {
      key: `score-${place}`, title: task.label, value, axis: () => axis(domain, t => percent(t, 0)),
      cell: one => {
        const cell = one.cells[place]
        if (!cell || !cell.score) return el('td', {}, '–')
        return el('td', {class: 'left'},
          el('span', {class: 'mark'}, MARKS[cell.standing]), percent(cell.score[0]),
          ' ', el('span', {class: 'ci'}, `[${percent(cell.score[1])}, ${percent(cell.score[2])}]`),
          intervalMark(domain, cell.score, cell.partial ? 'faint' : cell.standing),
          el('span', {class: 'sub'}, [`n ${count(cell.score[3])}${cell.partial ? ' (part)' : ''}`,
            cell.no_answer !== null && `${whole(cell.no_answer)} no answer`,
            cell.truncated !== null && `${whole(cell.truncated)} cut`].filter(Boolean).join(' · ')))
      },
    }
  })
  return sortable([
    {key: 'name', title: 'Model', value: one => one.row.name, cell: one => rowName(one.row, null)},
    ...columns.map(column => ({...column, left: true})),
    {key: 'size', title: 'Weights', value: one => one.row.parameters, cell: one => el('td', {}, parameters(one.row.parameters))},
  ], rows, redraw, () => '')
}

// What others reported for this task, below ours and never sorted among them.
function reportedRows(board, task) {
  const tables = board.published.filter(table => task !== null && table.task === board.tasks[task].task)
  return tables.map(table => [
    el('h3', {}, 'Reported elsewhere, never tested against the rows above'),
    publishedTable(table),
  ])
}

function publishedTable(table) {
  const share = value => table.unit === 'percent' ? String(value) : value.toFixed(4)
  return el('div', {},
    scroll(`${table.task}, ${table.name}`, el('table', {},
      el('thead', {}, el('tr', {}, ['Reported', 'Weights', ...table.metrics, 'n'].map(title => el('th', {scope: 'col'}, title)))),
      el('tbody', {}, table.rows.map(row => el('tr', {class: 'reported'},
        el('th', {scope: 'row'}, row.model, el('span', {class: 'badge'}, 'reported'), row.notes.map(note => el('span', {class: 'sub'}, note))),
        el('td', {}, row.parameters || '–'),
        row.values.map((value, place) => el('td', {}, (row.about ? '~' : '') + share(value),
          place === 0 && row.interval ? [' ', el('span', {class: 'ci'}, `[${percent(row.interval[1])}, ${percent(row.interval[2])}]`)] : null)),
        el('td', {}, row.n ? count(row.n) : '–')))))),
    el('ul', {class: 'notes'}, table.notes.map(note => el('li', {}, note)), el('li', {}, `Source: ${table.source}, ${table.name}. Intervals, where n is known, are Wilson's over independent samples.`)))
}

function drawReported(board) {
  const shown = new Set(board.tasks.map(task => task.task))
  const others = board.published.filter(table => !shown.has(table.task))
  replace('reported', others.length ? [
    el('p', {class: 'note'}, 'Tasks that no run here has. Never tested against rows of this page.'),
    others.map(table => [el('h3', {}, `${table.task}: ${table.name}`), publishedTable(table)]),
  ] : [])
}
