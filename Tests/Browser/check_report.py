#!/usr/bin/env python3
"""Opens a page of `rdbkit report` in a real browser, uses it, and tells what is wrong.

    check_report.py PAGE [--old] [--hostile] [--shots FOLDER]

--old says that the page tells growth, --hostile that its keys are made to break out of the page. Ends with 0 when all is
as it should be, with 1 and a line for each fault otherwise, with 77 where there is no browser.
"""
import argparse
import json
import os
import sys

import devtools

faults = []


def expect(what, is_so, found=""):
    if not is_so:
        faults.append(f"{what}: {found}" if found != "" else what)


def box(page, selector):
    """The middle of what a selector finds, scrolled to, once it stands still and nothing lies above it."""
    place = None
    for _ in range(50):
        found = page.evaluate(f"""(async () => {{
            const node = document.querySelector({json.dumps(selector)});
            if (!node) return null;
            node.scrollIntoView({{ block: 'center', behavior: 'instant' }});
            await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
            const box = node.getBoundingClientRect(), x = box.left + box.width / 2, y = box.top + Math.min(box.height / 2, 12);
            return [x, y, node.contains(document.elementFromPoint(x, y))];
        }})()""")
        if found is None:
            raise RuntimeError(f"nothing is {selector}")
        if found == place and found[2]:
            return found[:2]
        place = found
    raise RuntimeError(f"{selector} cannot be reached: {place}")


def click(page, selector):
    page.click(*box(page, selector))


def column(page, table, number):
    """The texts of a table's column."""
    return page.evaluate(f"[...document.querySelectorAll('#{table} tbody tr')].map(row => row.cells[{number}]?.innerText)")


def amount(text):
    """Bytes of `1.5 KiB`, as near as the text tells."""
    number, unit = text.replace("\n", "").split(" ")
    return float(number) * 1024 ** ["B", "KiB", "MiB", "GiB", "TiB"].index(unit)


def check_layout(page, width):
    size = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    expect(f"the page is not wider than the screen at {width}", size[0] <= size[1], size)
    small = page.evaluate("""[...document.querySelectorAll('button, a, input, select')].filter(node => {
        const box = node.getBoundingClientRect();
        return box.width > 0 && (box.height < 24 || box.width < 20);
    }).map(node => node.outerHTML.slice(0, 80))""")
    expect(f"buttons are large enough to hit at {width}", not small, small)
    unnamed = page.evaluate("""[...document.querySelectorAll('button, input, select, [role=button]')].filter(node =>
        !(node.innerText || node.getAttribute('aria-label') || '').trim()).map(node => node.outerHTML.slice(0, 80))""")
    expect("every control has a name", not unnamed, unnamed)


def check_contrast(page, scheme):
    """Text against its background by the formula of WCAG 2, at least 4.5."""
    poor = page.evaluate("""(() => {
        const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
        const light = rgb => { const [r, g, b] = rgb.slice(0, 3).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
          return .2126 * r + .7152 * g + .0722 * b; };
        const behind = node => { for (let at = node; at; at = at.parentElement) { const color = parse(getComputedStyle(at).backgroundColor);
          if (color.length === 3 || color[3] > .9) return color; } return [255, 255, 255]; };
        const poor = [];
        for (const selector of ['h1', 'h2', '.lead', '.figure .name', '.figure .value', '.figure .note', '.finding p', '.tag', 'td', 'th button', 'nav a', '.command button', 'footer p', '.seg button']) {
          const node = document.querySelector(selector);
          if (!node) continue;
          const one = light(parse(getComputedStyle(node).color)), other = light(behind(node));
          const ratio = (Math.max(one, other) + .05) / (Math.min(one, other) + .05);
          if (ratio < 4.5) poor.push(`${selector} ${ratio.toFixed(2)}`);
        }
        return poor;
    })()""")
    expect(f"text stands out in {scheme}", not poor, poor)


def check_charts(page):
    cells = page.evaluate("document.querySelectorAll('#treemap .cell').length")
    expect("the treemap has rectangles", cells >= 3, cells)
    covered = page.evaluate("""(() => { const box = document.querySelector('#treemap').getBoundingClientRect();
        const sum = [...document.querySelectorAll('#treemap .cell > rect:first-child')].reduce((all, cell) => {
          const one = cell.getBoundingClientRect(); return all + one.width * one.height; }, 0);
        return sum / (box.width * box.height); })()""")
    expect("its rectangles fill it", 0.95 < covered < 1.06, covered)
    bars = page.evaluate("[...document.querySelectorAll('#histograms svg')].map(one => one.querySelectorAll('.column').length)")
    expect("there are histograms with columns", len(bars) >= 2 and min(bars) >= 1, bars)
    expect("the types have a bar", page.evaluate("document.querySelectorAll('.stack div').length") >= 2)
    expect("there are cards", page.evaluate("document.querySelectorAll('#cards .figure').length") >= 6)
    expect("there are findings", page.evaluate("document.querySelectorAll('.finding').length") >= 1)
    commands = page.evaluate("[...document.querySelectorAll('.finding code')].map(one => one.innerText)")
    expect("findings name commands", commands and all(one.startswith("rdbkit ") for one in commands), commands)


def check_zoom(page):
    before = page.evaluate("document.querySelector('#crumbs .here').innerText")
    expect("the map begins with all keys", before.startswith("all keys"), before)
    count = page.evaluate("document.querySelectorAll('#treemap .cell').length")
    prefix = page.evaluate("document.querySelector('#treemap .zooms').dataset.prefix")
    click(page, "#treemap .zooms")
    here = page.evaluate("[document.querySelector('#crumbs').innerText, document.querySelectorAll('#crumbs button').length]")
    expect("a click goes into a prefix", here[1] >= 1 and here[0] != before, here)
    inside = page.evaluate("[...document.querySelectorAll('#treemap .cell')].map(one => one.dataset.prefix)")
    expect("what is shown then continues it", inside and all(one.startswith(prefix) for one in inside), inside)
    click(page, "#crumbs button")
    back = page.evaluate("document.querySelectorAll('#treemap .cell').length")
    expect("the crumbs lead back", back == count, (back, count))
    # The same by keys.
    page.evaluate("document.querySelector('#treemap .zooms').focus({ focusVisible: true })")
    page.press("ArrowRight")
    moved = page.evaluate("[...document.querySelectorAll('#treemap .cell')].indexOf(document.activeElement)")
    expect("arrows move in the map", moved > 0, moved)
    page.evaluate("document.querySelector('#treemap .zooms').focus({ focusVisible: true })")
    page.press("Enter")
    expect("Enter goes into a prefix", page.evaluate("document.querySelectorAll('#crumbs button').length") >= 1)
    expect("the focus stays in the map", page.evaluate("document.querySelector('#treemap').contains(document.activeElement)"))
    page.press("Escape")
    expect("Escape goes back", page.evaluate("document.querySelectorAll('#crumbs button').length") == 0)
    # Other areas.
    before = page.evaluate("document.querySelector('#crumbs .here').innerText")
    click(page, "#map .seg [data-value=keys]")
    after = page.evaluate("document.querySelector('#crumbs .here').innerText")
    expect("areas can stand for keys", before != after, after)
    click(page, "#map .seg [data-value=memory_bytes]")
    page.move(*box(page, "#treemap .cell"))
    tip = page.evaluate("[document.querySelector('#tip').hidden, document.querySelector('#tip').innerText]")
    expect("a prefix tells more when pointed at", not tip[0] and "of memory" in tip[1], tip)
    page.move(1, 1)


def check_tables(page):
    sizes = [amount(text) for text in column(page, "keys-table", 3)]
    expect("the largest keys come first", sizes == sorted(sizes, reverse=True) and sizes, sizes[:5])
    sort = page.evaluate("document.querySelector('#keys-table th[aria-sort=descending]').innerText")
    expect("the table says how it is sorted", sort.startswith("Memory"), sort)
    click(page, "#keys-table [data-column=memory_bytes]")
    sizes = [amount(text) for text in column(page, "keys-table", 3)]
    expect("a second click turns the order", sizes == sorted(sizes), sizes[:5])
    click(page, "#keys-table [data-column=key]")
    names = column(page, "keys-table", 0)
    expect("keys sort by name", names == sorted(names), names[:5])
    total = len(names)
    wanted = names[-1][:6]
    page.evaluate("document.querySelector('#keys-table input').focus()")
    page.type(wanted)
    kept = column(page, "keys-table", 0)
    expect("the filter keeps what has the words", kept and all(wanted.lower() in one.lower() for one in kept), kept[:5])
    expect("and only that", len(kept) == sum(wanted.lower() in one.lower() for one in names), (len(kept), total))
    page.evaluate("(() => { const input = document.querySelector('#keys-table input'); input.value = ''; input.dispatchEvent(new Event('input')); })()")
    kinds = page.evaluate("[...document.querySelector('#keys-table select').options].map(one => one.value).filter(Boolean)")
    page.evaluate(f"(() => {{ const one = document.querySelector('#keys-table select'); one.value = {json.dumps(kinds[0])}; one.dispatchEvent(new Event('change')); }})()")
    types = set(column(page, "keys-table", 1))
    expect("a type can be chosen", types == {kinds[0]}, types)
    click(page, "#keys .seg [data-value=elements]")
    counts = [int(text.replace(",", "")) for text in column(page, "keys-table", 5)]
    expect("keys can be ranked by elements", counts == sorted(counts, reverse=True) and counts, counts[:5])
    before = page.evaluate("document.querySelector('#histograms').innerHTML")
    click(page, "#spread .seg [data-value=memory_bytes]")
    expect("histograms can show memory", page.evaluate("document.querySelector('#histograms').innerHTML") != before)


def check_theme(page, scheme):
    other = "light" if scheme == "dark" else "dark"
    expect(f"the page follows the system into {scheme}", page.evaluate("document.documentElement.dataset.theme") == scheme)
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    click(page, "#theme")
    after = page.evaluate("[document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]")
    expect("the button changes the theme", after[0] == other and after[1] != before, after)
    click(page, "#theme")
    # The choice is kept; the next visit should follow the system again.
    page.evaluate("try { localStorage.clear() } catch {}")


def check_growth(page):
    expect("growth is shown", not page.evaluate("document.querySelector('#growth').hidden"))
    expect("with bars", page.evaluate("document.querySelectorAll('#growth-prefixes .plus, #growth-prefixes .minus').length") > 0)
    deltas = page.evaluate("[...document.querySelectorAll('#growth-table tbody tr')].map(row => row.cells[3].innerText)")
    expect("and a table", deltas and deltas[0].startswith("+"), deltas[:5])


def check_hostile(page):
    """Keys with markup, controls and broken UTF-8 were shown as text, and nothing of them ran."""
    expect("no key became an element", page.evaluate("document.querySelectorAll('img, main script, main b, iframe').length") == 0)
    expect("no key ran", page.evaluate("window.broken") is None)
    names = "\n".join(column(page, "keys-table", 0))
    for part in ("<img src=x onerror=", "</script>", "\\u2028", "\\u202e", "\\u0007", "\\xff\\xfe\\x00\\x01<script>"):
        expect("a hostile key is shown escaped", part in names, part)
    raw = [name for name in names if name in "\u2028\u202e\u0007"]
    expect("nothing invisible is shown", not raw, raw)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("page")
    parser.add_argument("--old", action="store_true")
    parser.add_argument("--hostile", action="store_true")
    parser.add_argument("--shots")
    options = parser.parse_args()
    program = devtools.find_browser()
    if not program:
        print("no browser: install chromium, or name one in CHROMIUM")
        return 77
    url = "file://" + os.path.abspath(options.page)
    name = os.path.splitext(os.path.basename(options.page))[0]
    with devtools.Browser(program) as browser:
        for width, height in ((1440, 900), (390, 844)):
            for scheme in ("light", "dark"):
                page = browser.page()
                page.show(width, height, scheme)
                page.open(url, ready="document.documentElement?.dataset.ready === 'yes'")
                if options.shots:
                    page.screenshot(os.path.join(options.shots, f"{name}-{width}-{scheme}.png"))
                check_layout(page, width)
                check_contrast(page, scheme)
                check_charts(page)
                if options.hostile:
                    check_hostile(page)
                check_theme(page, scheme)
                check_zoom(page)
                check_tables(page)
                if options.old:
                    check_growth(page)
                check_layout(page, width)
                expect("nothing was complained of", not page.complaints, page.complaints)
                strange = [one for one in page.requests if not one.startswith(("file:", "data:", "about:"))]
                expect("nothing was asked of the network", not strange, strange)
                page.call("Page.close")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
