// What lineage tells: losses by step, and scores against the rows that a group was trained on.
const COLOURS = ['#3b82c4', '#d9772b', '#2f9e6e', '#b65fb0', '#c9a227', '#5b6ee1', '#c2504a', '#6b8f23']
const CURVES = 8
const scatter = {row: null}

function frame(width, height, xDomain, yDomain, xTicks, yTicks, xLabel, yLabel) {
  const [left, right, top, bottom] = [44, 12, 10, 36]
  const x = v => left + (v - xDomain[0]) / (xDomain[1] - xDomain[0] || 1) * (width - left - right)
  const y = v => height - bottom - (v - yDomain[0]) / (yDomain[1] - yDomain[0] || 1) * (height - top - bottom)
  const root = svg('svg', {viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${yLabel} against ${xLabel}`},
    yTicks.map(([t, text]) => [
      svg('line', {class: 'grid', x1: left, x2: width - right, y1: y(t), y2: y(t)}),
      svg('text', {x: left - 6, y: y(t) + 4, 'text-anchor': 'end'}, text)]),
    xTicks.map(([t, text]) => svg('text', {x: x(t), y: height - bottom + 15, 'text-anchor': 'middle'}, text)),
    svg('text', {x: (left + width - right) / 2, y: height - 4, 'text-anchor': 'middle'}, xLabel),
    svg('text', {x: 12, y: height / 2, 'text-anchor': 'middle', transform: `rotate(-90 12 ${height / 2})`}, yLabel))
  return {root, x, y}
}
function roundTicks(low, high, most) {
  const raw = (high - low) / most || 1
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 5, 10].map(f => f * power).find(s => s >= raw)
  const found = []
  for (let t = Math.ceil(low / step) * step; t <= high + step * 1e-6; t += step) found.push(Number(t.toPrecision(6)))
  return found
}

function lossChart(rows) {
  const shown = rows.slice(0, CURVES)
  const points = shown.flatMap(row => row.training.losses)
  const values = points.flatMap(([, train, validation]) => [train, validation]).filter(v => v !== null)
  const steps = points.map(([step]) => step)
  const [low, high] = [Math.min(0, ...values), Math.max(...values)]
  const yTicks = roundTicks(low, high, 5).map(t => [t, String(t)])
  const xTicks = roundTicks(0, Math.max(...steps), 5).map(t => [t, count(t)])
  const {root, x, y} = frame(520, 300, [0, Math.max(...steps)], [low, high], xTicks, yTicks, 'step', 'loss')
  shown.forEach((row, place) => [[1, ''], [2, 'validation']].forEach(([column, kind]) => {
    const line = row.training.losses.filter(point => point[column] !== null).map(point => `${x(point[0]).toFixed(1)},${y(point[column]).toFixed(1)}`)
    if (line.length) root.append(svg('polyline', {class: `curve ${kind}`, stroke: COLOURS[place], points: line.join(' ')}))
  }))
  return el('figure', {class: 'chart'}, root,
    el('ul', {class: 'legend'}, shown.map((row, place) => el('li', {}, svg('svg', {viewBox: '0 0 22 8'}, svg('line', {x1: 0, x2: 22, y1: 4, y2: 4, stroke: COLOURS[place]})), row.name))),
    el('figcaption', {}, 'Training loss; dashed: validation.', rows.length > CURVES && ` The first ${CURVES} of ${rows.length} rows.`))
}

function scatterChart(board, task, field, place) {
  const {names, scores} = board.groups[task][field]
  const trained = board.rows[place].training.groups[field]
  const points = names.map((name, group) => ({name, rows: trained[name] || 0, score: scores[place][group]})).filter(point => point.score)
  const most = Math.max(1, ...points.map(point => point.rows))
  const xTicks = roundTicks(0, most, 5).map(t => [t, count(t)])
  const yTicks = [0, .25, .5, .75, 1].map(t => [t, percent(t, 0)])
  const {root, x, y} = frame(520, 300, [0, most * 1.05], [0, 1], xTicks, yTicks, 'training rows of the group', 'score, %')
  const labels = []
  for (const {name, rows, score} of points) {
    const end = x(rows) > 400
    // A label moves up until it is clear of those that stand beside it.
    let height = y(score[0]) + 4
    while (labels.some(([left, top]) => Math.abs(left - x(rows)) < 80 && Math.abs(top - height) < 12)) height -= 12
    labels.push([x(rows), height])
    root.append(
      svg('line', {class: 'whisker', x1: x(rows), x2: x(rows), y1: y(score[1]), y2: y(score[2])}),
      svg('circle', {class: 'point', cx: x(rows), cy: y(score[0]), r: 4}),
      svg('text', {class: 'label', x: x(rows) + (end ? -8 : 8), y: height, 'text-anchor': end ? 'end' : 'start'}, name))
  }
  return el('figure', {class: 'chart'}, root,
    el('figcaption', {}, `${board.rows[place].name}: score of each ${field} with its 95% interval, against the rows it was trained on.`))
}

function drawTraining(board, task) {
  if (task === null) task = 0
  const trained = board.rows.map((row, place) => ({...row, place})).filter(row => row.training)
  const curves = trained.filter(row => row.training.losses.length)
  const fieldOf = row => Object.keys(board.groups[task] || {}).find(field => row.training.groups[field] && board.groups[task][field].scores[row.place])
  const scattered = trained.filter(fieldOf)
  if (!curves.length && !scattered.length) return replace('training')
  const row = scattered.find(one => one.place === scatter.row) || scattered[0]
  replace('training',
    scattered.length > 1 && el('div', {class: 'controls'}, choose('Data of', scattered.map(one => [one.place, one.name]), row.place,
      value => { scatter.row = Number(value); drawTraining(board, task) })),
    el('div', {class: 'charts'}, curves.length > 0 && lossChart(curves), row && scatterChart(board, task, fieldOf(row), row.place)))
}
