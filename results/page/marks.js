// Small drawings: an interval on a shared axis, and the axis above them.
const WIDTH = 132

function niceDomain(values, least, most, step) {
  const low = Math.max(least, Math.floor(Math.min(...values) / step) * step)
  const high = Math.min(most, Math.ceil(Math.max(...values) / step) * step)
  return low < high ? [low, high] : [Math.max(least, low - step), Math.min(most, high + step)]
}
const place = ([low, high], value, width = WIDTH) => 6 + (value - low) / (high - low) * (width - 12)

function ticks([low, high], most = 4) {
  const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1].find(s => (high - low) / s <= most) || 1
  const found = []
  for (let t = Math.ceil(low / step - 1e-9) * step; t <= high + 1e-9; t += step) found.push(Math.round(t * 1e6) / 1e6)
  return found
}

function axis(domain, text) {
  return svg('svg', {class: 'axis', width: WIDTH, height: 14, 'aria-hidden': 'true'},
    ticks(domain).map(t => svg('text', {x: place(domain, t), y: 11, 'text-anchor': 'middle'}, text(t))))
}

function intervalMark(domain, [mean, low, high], kind = '', zero = null) {
  const at = value => place(domain, value)
  return svg('svg', {class: `interval ${kind}`, width: WIDTH, height: 18, 'aria-hidden': 'true'},
    ticks(domain).map(t => svg('line', {class: 'grid', x1: at(t), x2: at(t), y1: 0, y2: 18})),
    zero === null ? null : svg('line', {class: 'zero', x1: at(zero), x2: at(zero), y1: -6, y2: 24}),
    svg('line', {class: 'whisker', x1: at(low), x2: at(high), y1: 9, y2: 9}),
    svg('circle', {cx: at(mean), cy: 9, r: 3.6}))
}
