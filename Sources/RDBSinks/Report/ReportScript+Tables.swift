extension ReportScript {
    /// Tables that can be sorted and filtered.
    static let tables = #"""
        // columns: name, label, and as wanted: value (of a row), show (of a value), text (wraps, monospaced), bar (whole), tone.
        function table({ id, columns, rows, sort, filter, text, choose, limit = 1000, extra }) {
          let by = sort, descending = true, words = '', chosen = '';
          const value = (column, row) => column.value ? column.value(row) : row[column.name];
          const numeric = column => column.numeric || rows.some(row => typeof value(column, row) === 'number');
          const numbers = new Map(columns.map(column => [column, numeric(column)]));
          const body = el('tbody', {}), shownCount = el('span', { class: 'shown', role: 'status' });
          const heads = columns.map(column => el('th', { scope: 'col', class: numbers.get(column) ? 'number' : null },
            el('button', { type: 'button', 'data-column': column.name, onclick: () => {
              descending = by === column.name ? !descending : numbers.get(column);
              by = column.name;
              draw();
            } }, column.label)));
          function draw() {
            const column = columns.find(one => one.name === by);
            const needle = words.toLowerCase();
            const kept = rows.filter(row => (!needle || text(row).toLowerCase().includes(needle)) && (!chosen || row[choose] === chosen));
            if (column) kept.sort((a, b) => {
              const left = value(column, a), right = value(column, b), sign = descending ? -1 : 1;
              if (left === right) return 0;
              // What has no value comes last in either order.
              if (left === null || left === undefined) return 1;
              if (right === null || right === undefined) return -1;
              return (left < right ? -1 : 1) * sign;
            });
            columns.forEach((one, index) => heads[index].setAttribute('aria-sort', one.name === by ? descending ? 'descending' : 'ascending' : 'none'));
            body.replaceChildren(...kept.slice(0, limit).map(row => el('tr', {}, columns.map(one => {
              const raw = value(one, row), words = raw === null || raw === undefined ? '' : one.show ? one.show(raw, row) : String(raw);
              const tone = one.tone && raw ? raw > 0 ? ' up' : ' down' : '';
              return el('td', { class: (one.text ? 'text mono' : numbers.get(one) ? 'number' : '') + tone || null }, words,
                one.bar ? el('span', { class: 'share', 'aria-hidden': 'true' }, el('i', { style: `width: ${Math.min(100, raw / one.bar * 100)}%` })) : null);
            }))));
            if (!kept.length) body.append(el('tr', {}, el('td', { colspan: columns.length, class: 'none' }, 'Nothing to show')));
            shownCount.textContent = kept.length === rows.length && kept.length <= limit ? `${int(rows.length)} rows`
              : `${int(Math.min(kept.length, limit))} of ${int(rows.length)} rows`;
          }
          const tools = [];
          if (filter) tools.push(el('input', { type: 'search', placeholder: filter, 'aria-label': filter, oninput: event => { words = event.target.value; draw(); } }));
          if (choose) {
            const choices = [...new Set(rows.map(row => row[choose]))].sort();
            tools.push(el('select', { 'aria-label': 'Only this ' + choose, onchange: event => { chosen = event.target.value; draw(); } },
              el('option', { value: '' }, `every ${choose}`), choices.map(choice => el('option', { value: choice }, choice))));
          }
          if (filter || extra) tools.push(el('span', { class: 'grow' }), shownCount);
          draw();
          return el('div', { id }, extra || tools.length ? el('div', { class: 'tools' }, extra, tools) : null,
            el('div', { class: rows.length > 14 ? 'scroll tall' : 'scroll', tabindex: '0', role: 'group', 'aria-label': 'Table' },
              el('table', {}, el('thead', {}, el('tr', {}, heads)), body)));
        }

        function drawKeys() {
          const names = { memory: 'Memory', size: 'Serialized', elements: 'Elements', element: 'Largest element' };
          const columns = { memory: 'memory_bytes', size: 'serialized_bytes', elements: 'elements', element: 'largest_element_bytes' };
          const place = el('div', {});
          const draw = by => {
            const rows = report.top[by];
            const name = row => shown(row.key) + (row.key_length_bytes ? '…' : '');
            place.replaceChildren(table({ id: 'keys-table', rows, sort: columns[by], filter: 'Filter keys', text: name, choose: 'type', columns: [
              { name: 'key', label: 'Key', value: name, text: true }, { name: 'type', label: 'Type' }, { name: 'encoding', label: 'Encoding' },
              { name: 'memory_bytes', label: 'Memory', show: bytes, bar: report.memory_bytes },
              { name: 'serialized_bytes', label: 'Serialized', show: bytes }, { name: 'elements', label: 'Elements', show: int },
              { name: 'largest_element_bytes', label: 'Largest', show: bytes }, { name: 'db', label: 'DB' },
              { name: 'expires_at_ms', label: 'Expires', show: time },
              ...(rows.some(row => row.idle_seconds !== undefined) ? [{ name: 'idle_seconds', label: 'Idle', show: duration }] : []),
              ...(report.inputs.length > 1 ? [{ name: 'input', label: 'Input' }] : [])] }));
          };
          const choices = Object.keys(report.top).map(by => [by, names[by] || by]);
          $('keys').append(...heading('keys', 'Largest keys', 'The keys that stand out, by four measures.').filter(Boolean),
            el('div', { class: 'card' }, el('div', { class: 'tools' }, segments(choices, choices[0][0], draw, 'Largest by')), place));
          draw(choices[0][0]);
        }

        function drawPrefixes() {
          const rows = report.prefixes.rows;
          $('prefixes').append(...heading('prefixes', 'Prefixes', 'Each prefix with all keys that begin with it, those of longer prefixes included.').filter(Boolean),
            el('div', { class: 'card' }, table({ id: 'prefixes-table', rows, sort: 'memory_bytes', filter: 'Filter prefixes', text: groupName, limit: 500, columns: [
              { name: 'prefix', label: 'Prefix', value: groupName, text: true },
              { name: 'keys', label: 'Keys', show: int }, { name: 'memory_bytes', label: 'Memory', show: bytes, bar: report.memory_bytes },
              { name: 'average', label: 'Average', value: row => row.memory_bytes / Math.max(1, row.keys), show: value => bytes(Math.round(value)) },
              { name: 'serialized_bytes', label: 'Serialized', show: bytes },
              { name: 'lasting', label: 'No expiry', value: row => row.no_expiry_keys / Math.max(1, row.keys), show: percent },
              ...(report.prefixes.max_error_bytes ? [{ name: 'error_bytes', label: 'May lack', show: bytes }] : [])] })));
        }

        function drawEncodings() {
          const rows = report.missed_encodings;
          if (!rows.length) return;
          $('encodings').hidden = false;
          const cause = { entries: 'more elements than the limit', value: 'an element longer than the limit', both: 'more and longer elements' };
          $('encodings').append(...heading('encodings', 'Just missed the compact form', 'Values at most twice beyond a limit. With the setting they would be kept compactly, which costs time on each access.').filter(Boolean),
            el('div', { class: 'card' }, table({ id: 'encodings-table', rows, sort: 'saved_bytes', columns: [
              { name: 'type', label: 'Type' }, { name: 'cause', label: 'Because of', show: value => cause[value] || value }, { name: 'keys', label: 'Keys', show: int },
              { name: 'memory_bytes', label: 'Memory', show: bytes }, { name: 'compact_bytes', label: 'Compact', show: bytes },
              { name: 'saved_bytes', label: 'Saves', show: bytes },
              { name: 'settings', label: 'Setting', value: row => Object.entries(row.settings).map(([name, value]) => `${name} ${value}`).join(', '), text: true }] })));
        }

        function drawDatabases() {
          const rows = report.by_db;
          if (rows.length < 2) return;
          $('databases').hidden = false;
          $('databases').append(...heading('databases', 'Databases', '').filter(Boolean),
            el('div', { class: 'card' }, table({ id: 'databases-table', rows, sort: 'memory_bytes', columns: [
              { name: 'db', label: 'Database', show: value => String(value) }, { name: 'keys', label: 'Keys', show: int }, { name: 'memory_bytes', label: 'Memory', show: bytes, bar: report.memory_bytes },
              { name: 'serialized_bytes', label: 'Serialized', show: bytes },
              { name: 'no_expiry_keys', label: 'No expiry', show: int }, { name: 'expired_keys', label: 'Expired', show: int }] })));
        }

        """#
}
