extension ReportScript {
    /// Memory by prefix: rectangles in rectangles, squarified. Source: Bruls, Huizing, van Wijk: Squarified treemaps (2000).
    static let treemap = #"""
        const measures = { memory_bytes: ['Memory', bytes], keys: ['Keys', short], serialized_bytes: ['Serialized', bytes] };

        function prefixTree(source) {
          const root = { prefix: '', label: 'all keys', parent: null, children: [], ...pick(source) };
          const nodes = source.prefixes.rows.map(row => ({ ...row, label: '', children: [] }));
          source.prefixes.rows.forEach((row, index) => {
            const node = nodes[index];
            node.parent = row.parent < 0 ? root : nodes[row.parent];
            node.parent.children.push(node);
            const name = shown(row.prefix), before = node.parent === root ? '' : shown(node.parent.prefix);
            node.label = (name.startsWith(before) ? name.slice(before.length) : name) || name;
          });
          return root;
        }
        const pick = row => ({ keys: row.keys, memory_bytes: row.memory_bytes, serialized_bytes: row.serialized_bytes,
          no_expiry_keys: row.no_expiry_keys });

        // What belongs to a node and to none of its children, as one more of them.
        function parts(node, measure) {
          const list = node.children.filter(child => child[measure] > 0);
          const left = node[measure] - list.reduce((sum, child) => sum + child[measure], 0);
          if (list.length && left > node[measure] * .002) {
            const rest = { rest: true, prefix: node.prefix, label: 'others', children: [], parent: node };
            for (const name of ['keys', 'memory_bytes', 'serialized_bytes', 'no_expiry_keys'])
              rest[name] = Math.max(0, node[name] - node.children.reduce((sum, child) => sum + child[name], 0));
            rest[measure] = left;
            list.push(rest);
          }
          return list.sort((a, b) => (a.rest ? 1 : 0) - (b.rest ? 1 : 0) || b[measure] - a[measure]);
        }

        function squarify(items, value, x, y, width, height) {
          const total = items.reduce((sum, item) => sum + value(item), 0);
          if (!total || width < 1 || height < 1) return [];
          const scale = width * height / total, placed = [];
          const sorted = [...items].sort((a, b) => value(b) - value(a));
          let row = [], rowArea = 0;
          const worst = (areas, sum, side) => Math.max(side * side * areas[0] / (sum * sum), sum * sum / (side * side * areas[areas.length - 1]));
          const flush = () => {
            const side = Math.min(width, height), thick = rowArea / side;
            let along = 0;
            for (const item of row) {
              const length = value(item) * scale / thick;
              placed.push(width >= height ? { item, x, y: y + along, w: thick, h: length } : { item, x: x + along, y, w: length, h: thick });
              along += length;
            }
            if (width >= height) { x += thick; width -= thick; } else { y += thick; height -= thick; }
            row = []; rowArea = 0;
          };
          for (const item of sorted) {
            const area = value(item) * scale, side = Math.min(width, height), areas = row.map(one => value(one) * scale);
            if (row.length && worst([...areas, area], rowArea + area, side) > worst(areas, rowArea, side)) flush();
            row.push(item); rowArea += area;
          }
          if (row.length) flush();
          return placed;
        }

        function clip(text, width) {
          const room = Math.floor((width - 12) / 7.1);
          return room < 2 ? '' : text.length <= room ? text : text.slice(0, room - 1) + '…';
        }

        function drawTreemap() {
          const root = prefixTree(report);
          let here = root, measure = 'memory_bytes', colors = new Map();
          parts(root, measure).forEach((child, index) => colors.set(child, child.rest ? 'var(--rest)' : color(index)));
          const canvas = svg('svg', { id: 'treemap', role: 'group', 'aria-label': 'Treemap of prefixes' });
          const crumbs = el('div', { class: 'crumbs', id: 'crumbs' });
          const name = node => node === root ? 'all keys' : node.rest ? (node.prefix ? shown(node.prefix) + ' (others)' : 'others') : shown(node.prefix);

          function describe(node) {
            return `${name(node)}\n${bytes(node.memory_bytes)} of memory, ${share(node.memory_bytes, report.memory_bytes)} of all\n`
              + `${int(node.keys)} keys, ${bytes(node.keys ? node.memory_bytes / node.keys : 0)} each\n`
              + `${share(node.no_expiry_keys, node.keys)} of them never expire`
              + (node.folded ? '\nput together: too many names to keep each' : '')
              + (node.error_bytes ? `\nmay be up to ${bytes(node.error_bytes)} more` : '');
          }
          // A prefix that has only one continuation is that one.
          function descend(node) {
            let at = node;
            for (let list = parts(at, measure); list.length === 1 && list[0].children.length; list = parts(at, measure)) at = list[0];
            return at;
          }
          function go(node, focus) {
            here = node === root ? root : descend(node);
            draw();
            if (focus) (canvas.querySelector('[tabindex]') || canvas).focus?.();
          }
          function up() {
            if (here === root) return;
            let at = here.parent;
            while (at !== root && parts(at, measure).length === 1) at = at.parent;
            go(at, true);
          }
          function inherited(node) {
            for (let at = node; at; at = at.parent) if (colors.has(at)) return colors.get(at);
            return 'var(--rest)';
          }
          function draw() {
            hideTip();
            const width = Math.max(280, Math.round(canvas.parentNode.clientWidth)), height = width < 560 ? 460 : Math.round(Math.min(600, width * .48));
            canvas.setAttribute('viewBox', `0 0 ${width} ${height}`);
            canvas.setAttribute('height', height);
            canvas.replaceChildren();
            const path = [];
            for (let at = here; at; at = at.parent) path.unshift(at);
            crumbs.replaceChildren(...path.flatMap((node, index) => {
              const text = node === root ? 'all keys' : node.label;
              return [index ? el('span', { class: 'sep', 'aria-hidden': 'true' }, '›') : '',
                node === here ? el('span', { class: 'here' }, `${text} · ${measures[measure][1](node[measure])}`)
                  : el('button', { type: 'button', onclick: () => go(node) }, text)];
            }).filter(Boolean));
            const list = parts(here, measure);
            for (const { item, x, y, w, h } of squarify(list.length ? list : [here], node => node[measure], 0, 0, width, height)) {
              const fillColor = here === root ? inherited(item) : item.rest ? 'var(--rest)' : here.children.length > 1 ? color(list.indexOf(item)) : inherited(item);
              const zooms = item !== here && item.children.length > 0;
              const cell = svg('g', { class: zooms ? 'cell zooms' : 'cell', tabindex: '0', role: zooms ? 'button' : 'img', 'data-prefix': item.prefix,
                'aria-label': describe(item).replace(/\n/g, ', ') + (zooms ? ', open' : '') });
              cell.append(svg('rect', { x, y, width: w, height: h, rx: 5, style: `fill: ${fillColor}` }));
              const inner = zooms && w > 90 && h > 64 ? parts(descend(item), measure) : [];
              if (w > 44 && h > 22) {
                cell.append(svg('text', { x: x + 8, y: y + 17, class: 'big' }, clip(item.label, w)));
                if (inner.length < 2 && h > 40) cell.append(svg('text', { x: x + 8, y: y + 34, class: 'small' }, clip(`${measures[measure][1](item[measure])} · ${share(item[measure], report[measure])}`, w)));
              }
              if (inner.length > 1) {
                for (const small of squarify(inner, node => node[measure], x + 4, y + 25, w - 8, h - 29)) {
                  if (small.w < 2 || small.h < 2) continue;
                  const box = svg('rect', { class: 'inner', x: small.x, y: small.y, width: small.w, height: small.h, rx: 3,
                    style: `fill: color-mix(in srgb, ${fillColor} ${small.item.rest ? 60 : 84}%, black)` });
                  tipped(box, () => describe(small.item));
                  if (small.item.children.length) box.addEventListener('click', event => { event.stopPropagation(); go(small.item); });
                  cell.append(box);
                  if (small.w > 52 && small.h > 20) cell.append(svg('text', { x: small.x + 6, y: small.y + 15, class: 'small' }, clip(small.item.label, small.w)));
                }
              }
              tipped(cell, () => describe(item));
              if (zooms) {
                cell.addEventListener('click', () => go(item));
                cell.addEventListener('keydown', event => {
                  if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); go(item, true); }
                });
              }
              canvas.append(cell);
            }
          }
          canvas.addEventListener('keydown', event => {
            if (event.key === 'Escape' || event.key === 'Backspace') { event.preventDefault(); up(); return; }
            const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
            if (!step) return;
            event.preventDefault();
            const cells = [...canvas.querySelectorAll('.cell')], at = cells.indexOf(document.activeElement);
            cells[(at + step + cells.length) % cells.length]?.focus();
          });
          const tools = el('div', { class: 'tools' }, crumbs, segments(Object.entries(measures).map(([value, [text]]) => [value, text]), measure, value => {
            measure = value;
            draw();
          }, 'What areas stand for'));
          const hint = el('p', { class: 'hint' }, 'Click or press Enter to go into a prefix, Escape to go back; arrows move. * stands for numbers, IDs and hashes'
            + (report.prefixes.max_error_bytes ? `, and for names too many to keep each: a prefix may lack up to ${bytes(report.prefixes.max_error_bytes)}.` : '.'));
          $('map').append(...heading('map', 'Memory by prefix', 'Each rectangle is a group of keys that begin alike; its area is what they take.').filter(Boolean),
            el('div', { class: 'card' }, tools, canvas, hint));
          draw();
          let last = canvas.parentNode.clientWidth;
          new ResizeObserver(() => {
            const width = canvas.parentNode.clientWidth;
            if (width !== last) { last = width; draw(); }
          }).observe(canvas.parentNode);
        }

        """#
}
