/// The page's script, in parts that are written one behind the other into one function.
///
/// The data is one object:
///
/// | name | value |
/// | --- | --- |
/// | `tool` | name and version of the program |
/// | `now_ms` | what is expired, and how long the rest has |
/// | `report` | what `rdbkit memory --format json` writes, with more rows |
/// | `old` | the same of the older inputs, where two are compared |
/// | `findings` | objects with `level` (bad, warn, note, good), `title`, `text` and `command` |
enum ReportScript {
    /// Elements, numbers, keys.
    static let basics = #"""
        const data = JSON.parse(document.getElementById('data').textContent);
        const report = data.report, old = data.old || null;
        const $ = id => document.getElementById(id);

        // All text of the data goes through here or through svg(): it is never read as markup.
        function fill(node, attributes, children) {
          for (const [name, value] of Object.entries(attributes || {})) {
            if (value === null || value === undefined || value === false) continue;
            if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
            else node.setAttribute(name, value === true ? '' : value);
          }
          for (const child of children.flat()) if (child !== null && child !== undefined && child !== '') node.append(child);
          return node;
        }
        const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
        const svg = (tag, attributes, ...children) =>
          fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

        function bytes(count) {
          const sign = count < 0 ? '-' : '', units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
          let value = Math.abs(count), unit = 0;
          while (value >= 1024 && unit < 5) { value /= 1024; unit++; }
          return sign + (unit === 0 ? value : value.toFixed(value < 100 ? 1 : 0)) + ' ' + units[unit];
        }
        const whole = new Intl.NumberFormat('en');
        const int = count => whole.format(Math.round(count));
        function short(count) {
          if (count < 10000) return int(count);
          const units = ['', 'K', 'M', 'G', 'T', 'P', 'E'];
          let unit = 0;
          while (count >= 1000 && unit < 6) { count /= 1000; unit++; }
          return count.toFixed(count < 100 ? 1 : 0) + units[unit];
        }
        const share = (part, all) => all ? percent(part / all) : '0 %';
        const percent = value => (Math.abs(value) < .0995 ? (value * 100).toFixed(1) : (value * 100).toFixed(0)) + ' %';
        function duration(seconds) {
          for (const [name, length] of [['y', 31536000], ['d', 86400], ['h', 3600], ['m', 60]])
            if (seconds >= length) return Math.floor(seconds / length) + name;
          return seconds + 's';
        }
        const time = ms => {
          const date = new Date(ms);
          return isNaN(date) ? ms + ' ms' : date.toISOString().replace('T', ' ').replace(/(\.000)?Z$/, '');
        };

        // Keys come by the text rule: as text, or as base64 where they are none. What cannot be seen is shown by its number.
        const hidden = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
        function shown(key) {
          if (key.startsWith('$base64:')) {
            let raw;
            try { raw = atob(key.slice(8)); } catch { return key; }
            return raw.replace(/[^\x20-\x5b\x5d-\x7e]/g, c => '\\x' + c.charCodeAt(0).toString(16).padStart(2, '0'));
          }
          return key.replace(hidden, c => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
        }
        function groupName(row) {
          if (row.prefix === '') return row.rest ? '(others)' : '(all keys)';
          return shown(row.prefix) + (row.rest ? ' (others)' : row.open ? '…' : '');
        }
        const color = index => `var(--c${index % 10})`;

        function heading(id, text, lead) {
          return [el('h2', { id: 'h-' + id }, text), lead ? el('p', { class: 'lead' }, lead) : null];
        }
        function segments(choices, chosen, choose, label) {
          const buttons = choices.map(([value, text]) => el('button', { type: 'button', 'data-value': value,
            'aria-pressed': String(value === chosen), onclick: () => {
              for (const other of buttons) other.setAttribute('aria-pressed', String(other.dataset.value === String(value)));
              choose(value);
            } }, text));
          return el('div', { class: 'seg', role: 'group', 'aria-label': label }, buttons);
        }

        const tip = $('tip');
        function showTip(text, x, y) {
          tip.textContent = text;
          tip.hidden = false;
          const box = tip.getBoundingClientRect();
          tip.style.left = Math.max(6, Math.min(x + 14, innerWidth - box.width - 8)) + 'px';
          tip.style.top = (y + 18 + box.height > innerHeight ? Math.max(6, y - box.height - 12) : y + 18) + 'px';
        }
        const hideTip = () => { tip.hidden = true; };
        function tipped(node, text) {
          node.addEventListener('pointermove', event => { event.stopPropagation(); showTip(text(), event.clientX, event.clientY); });
          node.addEventListener('pointerleave', hideTip);
          node.addEventListener('focus', () => {
            if (!node.matches(':focus-visible')) return;
            const box = node.getBoundingClientRect();
            showTip(text(), box.left + box.width / 2, box.top + Math.min(box.height, 40));
          });
          node.addEventListener('blur', hideTip);
          return node;
        }
        addEventListener('scroll', hideTip, { passive: true });

        """#
}
