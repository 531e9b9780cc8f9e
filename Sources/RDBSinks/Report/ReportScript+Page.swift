extension ReportScript {
    /// Head, cards, findings and what starts it all.
    static let page = #"""
        function drawHead() {
          const names = report.inputs.map(input => shown(input.input)).join(', ');
          const models = [...new Set(report.inputs.map(input => `${input.server}, ${input.allocator}`))].join('; ');
          $('subtitle').textContent = old ? `${old.inputs.map(input => shown(input.input)).join(', ')} → ${names}` : `${names} · ${models}`;
          $('subtitle').title = $('subtitle').textContent;
          if (old) $('title').textContent = 'Memory report: growth';
          const links = [['findings', 'Findings'], ...(old ? [['growth', 'Growth']] : []), ['map', 'Map'], ['forms', 'Types'], ['spread', 'Spread'], ['keys', 'Keys'], ['prefixes', 'Prefixes'],
            ...(report.missed_encodings.length ? [['encodings', 'Encodings']] : [])];
          $('nav').append(...links.map(([id, text]) => el('a', { href: '#' + id }, text)));
          const dark = matchMedia('(prefers-color-scheme: dark)');
          let choice = null;
          try { choice = localStorage.getItem('rdbkit-theme'); } catch { /* a page from a file may have none */ }
          const show = () => {
            const isDark = choice ? choice === 'dark' : dark.matches;
            document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
            $('theme').textContent = isDark ? '☀' : '☾';
          };
          $('theme').addEventListener('click', () => {
            choice = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
            try { localStorage.setItem('rdbkit-theme', choice); } catch { /* then for this view only */ }
            show();
          });
          dark.addEventListener('change', show);
          show();
        }

        function drawSummary() {
          const card = (name, value, note, tone) => el('div', { class: 'card figure' }, el('div', { class: 'name' }, name), el('div', { class: 'value ' + (tone || '') }, value), el('div', { class: 'note' }, note));
          const change = (name, show) => old ? `${signed(report[name] - old[name], show)} since ${show(old[name])}` : null;
          const largest = report.top.memory && report.top.memory[0];
          const told = report.inputs.filter(input => input.file_used_memory_bytes !== undefined);
          const used = told.reduce((sum, input) => sum + input.file_used_memory_bytes, 0), modelled = told.reduce((sum, input) => sum + input.server_bytes, 0);
          const cards = [
            card('Memory of keys and values', bytes(report.memory_bytes), change('memory_bytes', bytes) || `${bytes(report.used_bytes)} with all tables`),
            card('Keys', short(report.keys), change('keys', int) || `${bytes(report.memory_bytes / Math.max(1, report.keys))} each on average`),
            card('Used memory, by the model', bytes(report.server_bytes), used ? `the file says ${bytes(used)}: ${signed(modelled / used - 1, percent)}` : 'the file does not say it'),
            card('Never expire', percent(report.no_expiry_share), `${int(report.no_expiry_keys)} keys`),
            card('Expired, still there', percent(report.expired_share), `${int(report.expired_keys)} keys, ${bytes(report.expired_bytes)}`),
            card('Elements', short(report.elements), `${(report.elements / Math.max(1, report.keys)).toFixed(1)} a key on average`),
            card('In the file', bytes(report.serialized_bytes), `${(report.memory_bytes / Math.max(1, report.serialized_bytes)).toFixed(1)} times that in memory`)];
          if (largest) cards.push(card('Largest key', bytes(largest.memory_bytes), `${shown(largest.key).slice(0, 60)} · ${share(largest.memory_bytes, report.memory_bytes)}`));
          if (report.unknown_keys) cards.push(card('Unknown to the model', int(report.unknown_keys), 'keys of types that it does not know'));
          $('summary').append(el('div', { class: 'cards', id: 'cards' }, cards));
        }

        function drawFindings() {
          const words = { bad: 'Look at this', warn: 'Worth a look', note: 'Good to know', good: 'Fine' };
          $('findings').append(...heading('findings', 'Findings', '').filter(Boolean), el('ul', { class: 'findings' }, data.findings.map(finding => {
            const copy = el('button', { type: 'button', 'aria-label': 'Copy the command', onclick: async () => {
              try { await navigator.clipboard.writeText(finding.command); copy.textContent = 'Copied'; } catch {
                const range = document.createRange();
                range.selectNodeContents(copy.previousSibling);
                getSelection().removeAllRanges();
                getSelection().addRange(range);
                copy.textContent = 'Selected';
              }
              setTimeout(() => { copy.textContent = 'Copy'; }, 1600);
            } }, 'Copy');
            return el('li', { class: `card finding ${finding.level}` }, el('span', { class: `tag ${finding.level}` }, words[finding.level] || ''),
              el('h3', {}, finding.title), el('p', {}, finding.text),
              finding.command ? el('div', { class: 'command' }, el('code', { tabindex: '0' }, finding.command), copy) : null);
          })));
        }

        function drawFoot() {
          const foot = $('foot');
          foot.append(el('p', {}, 'Memory is what a server would take for each key once it has loaded the file, by a model of '
            + [...new Set(report.inputs.map(input => `${input.server} with ${input.allocator}`))].join(', ')
            + ': what MEMORY USAGE answers. Used memory adds the tables of keys and what the server itself takes; buffers of clients and replication, and fragmentation, are not in it.'));
          foot.append(el('p', {}, report.prefixes.max_error_bytes
            ? `Prefixes are kept in memory of a fixed size. Small ones were put together under *; a prefix may lack up to ${bytes(report.prefixes.max_error_bytes)} (${share(report.prefixes.max_error_bytes, report.memory_bytes)} of all). All other sums and the lists of keys are exact.`
            : 'All sums are exact, those of prefixes too. Prefixes of less than 0.05 % of the memory are not listed.'));
          foot.append(el('p', {}, `${data.tool} · ${time(data.now_ms).slice(0, 16)} UTC · Where keys are shown, \\x and \\u stand for bytes and characters that cannot be seen.`));
        }

        drawHead();
        drawSummary();
        drawFindings();
        if (report.keys) {
          drawGrowth();
          drawTreemap();
          drawForms();
          drawSpread();
          drawKeys();
          drawPrefixes();
          drawEncodings();
          drawDatabases();
        }
        drawFoot();
        document.documentElement.dataset.ready = 'yes';

        """#
}
