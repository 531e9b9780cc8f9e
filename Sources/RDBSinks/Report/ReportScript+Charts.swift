extension ReportScript {
    /// Bars of types, histograms, growth.
    static let charts = #"""
        function drawForms() {
          const types = report.by_type, all = report.memory_bytes;
          const sorted = [...types].sort((a, b) => b.memory_bytes - a.memory_bytes);
          const bar = el('div', { class: 'stack', role: 'img', 'aria-label': 'Memory by type' }, sorted.map((type, index) =>
            tipped(el('div', { style: `flex: ${Math.max(type.memory_bytes, all / 500)} 0 0; background: ${color(index)}` }),
              () => `${type.type}\n${bytes(type.memory_bytes)}, ${share(type.memory_bytes, all)} of all\n${int(type.keys)} keys`)));
          const legend = el('ul', { class: 'legend' }, sorted.map((type, index) => el('li', {},
            el('i', { style: `background: ${color(index)}` }), type.type + ' ', el('span', {}, `${bytes(type.memory_bytes)} · ${share(type.memory_bytes, all)}`))));
          const rows = types.flatMap(type => type.encodings.map(form => ({ type: type.type, ...form })));
          $('forms').append(...heading('forms', 'Types and encodings', 'How a server keeps the values, by its limits.').filter(Boolean),
            el('div', { class: 'card' }, el('div', { class: 'pad' }, bar, legend), table({ id: 'forms-table', rows, sort: 'memory_bytes', columns: [
              { name: 'type', label: 'Type' }, { name: 'encoding', label: 'Encoding' }, { name: 'keys', label: 'Keys', show: int },
              { name: 'memory_bytes', label: 'Memory', show: bytes, bar: all },
              { name: 'average', label: 'Average', value: row => row.memory_bytes / Math.max(1, row.keys), show: value => bytes(Math.round(value)) },
              { name: 'serialized_bytes', label: 'Serialized', show: bytes }] })));
        }

        function histogram(title, rows, words, measure, note) {
          const width = 460, height = 210, bottom = 30, top = 24, left = 6;
          const most = Math.max(1, ...rows.map(row => row[measure])), step = (width - left * 2) / rows.length;
          const every = Math.ceil(rows.length / Math.floor((width - left * 2) / 52));
          const showValue = measure === 'keys' ? short : bytes;
          const picture = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': title });
          picture.append(svg('line', { class: 'axis', x1: left, x2: width - left, y1: height - bottom, y2: height - bottom }));
          const peak = rows.findIndex(row => row[measure] === most);
          rows.forEach((row, index) => {
            const tall = row[measure] ? Math.max(2, (height - bottom - top) * row[measure] / most) : 0, x = left + index * step;
            const words2 = `${words(row.from)} to ${words(row.to)}\n${int(row.keys)} keys, ${share(row.keys, report.keys)}\n${bytes(row.memory_bytes)}, ${share(row.memory_bytes, report.memory_bytes)}`;
            const group = svg('g', { tabindex: row.keys ? '0' : null, role: 'img', 'aria-label': words2.replace(/\n/g, ', ') },
              svg('rect', { x, y: top, width: step, height: height - bottom - top, fill: 'transparent' }),
              svg('rect', { class: 'column', x: x + Math.min(2, step * .1), y: height - bottom - tall, width: Math.max(1, step - Math.min(4, step * .2)), height: tall, rx: Math.min(3, step / 4) }));
            if (index === peak) group.append(svg('text', { class: 'count', x: Math.min(Math.max(x + step / 2, 24), width - 24), y: height - bottom - tall - 6, 'text-anchor': 'middle' }, showValue(row[measure])));
            if (index % every === 0) group.append(svg('text', { x: x + step / 2, y: height - 11, 'text-anchor': 'middle' }, words(row.to)));
            picture.append(tipped(group, () => words2));
          });
          return el('div', { class: 'card pad chart' }, el('h3', {}, title), picture, note ? el('p', { class: 'shown' }, note) : null);
        }

        function drawSpread() {
          const kinds = [
            ['Memory of a key', report.histograms.memory_bytes, bytes, 'bytes, up to the power of two below each bar'],
            ['Elements of a key', report.histograms.elements, short, 'elements, members, fields or stream entries'],
            ['Time to live', report.histograms.ttl_seconds, duration, 'of the keys that will expire'],
            ['Idle time', report.histograms.idle_seconds, duration, 'since the last access, where the file tells']];
          const grid = el('div', { class: 'charts', id: 'histograms' });
          const draw = measure => grid.replaceChildren(...kinds.filter(kind => kind[1]).map(([title, rows, words, note]) => histogram(title, rows, words, measure, note)));
          $('spread').append(...heading('spread', 'How keys are spread', '').filter(Boolean),
            el('div', { class: 'tools', style: 'border: 0; padding: 4px 0 14px' }, segments([['keys', 'Keys'], ['memory_bytes', 'Memory']], 'keys', draw, 'What columns stand for')), grid);
          draw('keys');
        }

        // Rows of an older report beside those of this one.
        function grown(before, after, key) {
          const rows = new Map();
          for (const [list, side] of [[before, 'old'], [after, 'new']]) for (const row of list) {
            const name = key(row);
            if (!rows.has(name)) rows.set(name, { name, row, old: 0, new: 0, old_keys: 0, new_keys: 0 });
            const sum = rows.get(name);
            sum[side] = row.memory_bytes;
            sum[side + '_keys'] = row.keys;
          }
          return [...rows.values()].map(row => ({ ...row, delta: row.new - row.old, keys_delta: row.new_keys - row.old_keys,
            factor: row.old ? row.new / row.old - 1 : null }));
        }
        const signed = (value, show) => (value > 0 ? '+' : value < 0 ? '−' : '') + show(Math.abs(value));

        // The line of no change stands where the longest bars of both sides have room.
        function bars(rows, name) {
          const plus = Math.max(0, ...rows.map(row => row.delta)), minus = Math.max(0, ...rows.map(row => -row.delta));
          const all = Math.max(1, plus + minus), zero = minus / all * 100;
          return el('div', { class: 'rows' }, rows.map(row => {
            const width = Math.abs(row.delta) / all * 100;
            return el('div', {}, el('div', { class: 'label mono', title: name(row) }, name(row)),
              el('div', { class: 'both', 'aria-hidden': 'true' }, el('b', { style: `left: ${zero}%` }), row.delta ? el('i', { class: row.delta > 0 ? 'plus' : 'minus',
                style: `left: ${row.delta > 0 ? zero : zero - width}%; width: ${width}%` }) : null),
              el('div', { class: 'amount ' + (row.delta > 0 ? 'up' : row.delta < 0 ? 'down' : '') }, signed(row.delta, bytes)));
          }));
        }

        function drawGrowth() {
          if (!old) return;
          $('growth').hidden = false;
          const types = grown(old.by_type, report.by_type, row => row.type).sort((a, b) => Math.abs(b.delta) - Math.abs(a.delta));
          const prefixes = grown(old.prefixes.rows, report.prefixes.rows, row => row.prefix);
          const byName = new Map(prefixes.map(row => [row.name, row]));
          // A prefix whose growth is that of one continuation says nothing of its own.
          const parents = new Map();
          for (const source of [old, report]) for (const row of source.prefixes.rows)
            if (row.parent >= 0) parents.set(row.prefix, source.prefixes.rows[row.parent].prefix);
          const told = new Set();
          for (const [child, parent] of parents) {
            const one = byName.get(child), other = byName.get(parent);
            if (one && other && other.delta && one.delta / other.delta > .9) told.add(parent);
          }
          const main = prefixes.filter(row => row.delta && !told.has(row.name)).sort((a, b) => Math.abs(b.delta) - Math.abs(a.delta)).slice(0, 12);
          const change = report.memory_bytes - old.memory_bytes;
          const name = row => groupName(row.row);
          $('growth').append(...heading('growth', 'Growth', `From ${bytes(old.memory_bytes)} to ${bytes(report.memory_bytes)}: ${signed(change, bytes)}`
            + (old.memory_bytes ? `, ${signed(change / old.memory_bytes, percent)}` : '') + `; keys ${signed(report.keys - old.keys, int)}.`).filter(Boolean),
            el('div', { class: 'charts' },
              el('div', { class: 'card pad', id: 'growth-prefixes' }, el('h3', {}, 'By prefix'), main.length ? bars(main, name) : el('p', { class: 'shown' }, 'No prefix changed.')),
              el('div', { class: 'card pad', id: 'growth-types' }, el('h3', {}, 'By type'), bars(types, row => row.name))),
            el('div', { class: 'card gap' }, table({ id: 'growth-table', rows: prefixes, sort: 'delta', filter: 'Filter prefixes', text: name, limit: 300, columns: [
              { name: 'prefix', label: 'Prefix', value: name, text: true }, { name: 'old', label: 'Before', show: bytes }, { name: 'new', label: 'Now', show: bytes },
              { name: 'delta', label: 'Growth', show: value => signed(value, bytes), tone: true },
              { name: 'factor', label: 'Share', value: row => row.factor ?? Infinity, show: value => value === Infinity ? 'new' : signed(value, percent), numeric: true },
              { name: 'keys_delta', label: 'Keys', show: value => signed(value, int) }] })));
        }

        """#
}
