// What is shown, and the theme.
const board = read('board')
let task = board.tasks.length === 1 ? 0 : null

function draw() {
  sorting = null
  if (!board.tasks.length) return ['leaderboard', 'differences', 'groups', 'training', 'confusion', 'samples'].forEach(id => replace(id))
  drawLeaderboard(board, task)
  drawDifferences(board, task)
  drawGroups(board, task)
  drawTraining(board, task)
  drawConfusion(board, task)
  drawSamples(board, task)
}

function drawTasks() {
  const options = [[null, 'All tasks'], ...board.tasks.map((one, place) => [place, one.label])]
  const nav = document.getElementById('tasks')
  nav.hidden = board.tasks.length < 2
  nav.replaceChildren(...options.map(([key, text]) => el('button', {
    type: 'button', 'aria-pressed': String(key === task),
    on: {click: event => { task = key; browser.page = 0; drawTasks(); draw(); document.querySelectorAll('#tasks button')[key === null ? 0 : key + 1].focus(); event.preventDefault() }},
  }, text)))
}

function about() {
  const one = board.tasks.length === 1 ? board.tasks[0] : null
  const size = new Blob([document.documentElement.outerHTML]).size / 1e6
  document.getElementById('about').textContent = [
    `${count(board.rows.length)} ${board.rows.length === 1 ? 'row' : 'rows'}`,
    one ? `${one.label}, version ${one.version}, data ${one.data}, prompt ${one.prompt}` : `${board.tasks.length} tasks`,
    board.created, `${size.toFixed(1)} MB`,
  ].join(' · ')
}

function theme() {
  const button = document.getElementById('theme')
  const root = document.documentElement
  const dark = () => root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
  const show = () => button.setAttribute('aria-pressed', String(dark()))
  button.addEventListener('click', () => { root.dataset.theme = dark() ? 'light' : 'dark'; show() })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', show)
  show()
}

theme()
about()
drawTasks()
draw()
drawReported(board)
replace('problems', board.problems.length ? el('ul', {class: 'notes'}, board.problems.map(problem => el('li', {}, problem))) : [])
document.documentElement.dataset.ready = 'true'
