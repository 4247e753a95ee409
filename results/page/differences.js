// Paired differences to one row: the forest plot, as a table with drawings.
const bases = {}

function pairOf(board, task, base, candidate) {
  for (const [a, b, difference, low, high, p, n] of board.pairs[task]) {
    if (a === base && b === candidate) return {difference, low, high, p, n}
    if (b === base && a === candidate) return {difference: -difference, low: -high, high: -low, p, n}
  }
  return null
}

function drawDifferences(board, task) {
  if (task === null) task = 0
  const there = board.rows.map((_, place) => place).filter(place => board.cells[place][task])
  if (there.length < 2) return replace('differences')
  const best = there.find(place => board.cells[place][task].standing === 'best')
  if (bases[task] === undefined) bases[task] = best === undefined ? there[0] : best
  const base = bases[task]
  const rows = there.filter(place => place !== base)
    .map(place => ({place, pair: pairOf(board, task, base, place)}))
    .sort((a, b) => (b.pair ? b.pair.difference : -9) - (a.pair ? a.pair.difference : -9))
  const found = rows.filter(row => row.pair)
  const domain = niceDomain([0, ...found.flatMap(row => [row.pair.low, row.pair.high])], -1, 1, 0.05)
  const kind = pair => pair.high < 0 ? 'down' : pair.low > 0 ? 'up' : ''
  replace('differences',
    el('div', {class: 'controls'}, board.tasks.length > 1 && el('span', {class: 'dim'}, board.tasks[task].label),
      choose('Against', there.map(place => [place, board.rows[place].name + (place === best ? ' (best)' : '')]), base,
        value => { bases[task] = Number(value); drawDifferences(board, task) })),
    scroll('Paired differences', el('table', {},
      el('thead', {}, el('tr', {},
        el('th', {scope: 'col'}, 'Model'), el('th', {scope: 'col', class: 'left'}, axis(domain, t => t === 0 ? '0' : signed(t, 0))),
        el('th', {scope: 'col'}, 'Difference, points'), el('th', {scope: 'col'}, 'p'), el('th', {scope: 'col'}, 'Pairs'))),
      el('tbody', {}, rows.map(({place, pair}) => el('tr', {},
        el('th', {scope: 'row'}, board.rows[place].name),
        pair ? [
          el('td', {class: 'left'}, intervalMark(domain, [pair.difference, pair.low, pair.high], kind(pair), 0)),
          el('td', {}, signed(pair.difference), ' ', el('span', {class: 'ci'}, `[${signed(pair.low)}, ${signed(pair.high)}]`)),
          el('td', {}, pText(pair.p)), el('td', {}, count(pair.n)),
        ] : el('td', {colspan: 4}, 'no scored sample in common')))))),
    el('p', {class: 'note'}, 'Over the samples that both rows have a score for. 95% intervals by Student’s t over clusters; p by flipping the signs of whole clusters, for each pair alone.'))
}
