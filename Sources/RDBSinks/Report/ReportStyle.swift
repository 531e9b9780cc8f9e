/// The page's style sheet. Colours are variables: light ones, and dark ones where the reader's system or choice says so.
enum ReportStyle {
    static let text = #"""
        :root {
          --bg: #f6f7f9; --card: #ffffff; --line: #e2e5ea; --text: #1b2130; --soft: #5b6478; --faint: #eef0f4;
          --accent: #2f5fde; --accent-soft: #e6edff; --warn: #b45309; --warn-soft: #fdf1df; --bad: #c02c38; --bad-soft: #fde8ea;
          --good: #15803d; --good-soft: #e3f5e9; --press: #ffffff; --shadow: 0 1px 2px rgba(20, 28, 48, .05), 0 4px 16px rgba(20, 28, 48, .05);
          --c0: #3867d6; --c1: #0e9384; --c2: #d9642c; --c3: #8b4fc6; --c4: #c2410c; --c5: #2e8b46; --c6: #c23b73;
          --c7: #5b6b8a; --c8: #a1780b; --c9: #1685b8; --rest: #a3abbb; --on: #ffffff;
        }
        :root[data-theme="dark"] {
          --bg: #10141d; --card: #181e2a; --line: #2a3242; --text: #e7ebf3; --soft: #9aa5ba; --faint: #202838;
          --accent: #86a8ff; --accent-soft: #22305a; --warn: #f2b35e; --warn-soft: #3a2c17; --bad: #ff8d95; --bad-soft: #43202a;
          --good: #6fd393; --good-soft: #17372a; --press: #37425a; --shadow: 0 1px 2px rgba(0, 0, 0, .4);
          --c0: #4c78dd; --c1: #1b8f84; --c2: #c9652f; --c3: #8e5fc4; --c4: #b9522a; --c5: #3d8d52; --c6: #b94d7c;
          --c7: #64738f; --c8: #94731a; --c9: #2a81ad; --rest: #4a5468; --on: #ffffff;
        }
        * { box-sizing: border-box; }
        html { scroll-padding-top: 76px; -webkit-text-size-adjust: 100%; }
        body { margin: 0; background: var(--bg); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
        .wrap { max-width: 1240px; margin: 0 auto; padding: 0 24px; }
        h1 { font-size: 17px; line-height: 1.2; margin: 0; font-weight: 650; }
        h2 { font-size: 20px; margin: 0 0 4px; font-weight: 650; letter-spacing: -.01em; }
        h3 { font-size: 15px; margin: 0 0 8px; font-weight: 600; }
        p { margin: 0; }
        code, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; font-size: .92em; }
        section { margin: 36px 0; }
        section:focus { outline: none; }
        .lead { color: var(--soft); margin: 0 0 16px; max-width: 75ch; }
        .card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; box-shadow: var(--shadow); }
        .skip { position: absolute; left: -999px; top: 8px; background: var(--card); color: var(--text); padding: 8px 12px; border-radius: 8px; z-index: 20; }
        .skip:focus { left: 8px; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }

        .top { position: sticky; top: 0; z-index: 10; background: color-mix(in srgb, var(--bg) 88%, transparent); backdrop-filter: blur(10px); border-bottom: 1px solid var(--line); }
        .bar { display: flex; align-items: center; gap: 24px; min-height: 62px; }
        .brand { display: flex; align-items: center; gap: 12px; min-width: 0; flex: 1; }
        .brand > div { min-width: 0; }
        .brand svg { flex: none; }
        .m1 { fill: var(--c0); } .m2 { fill: var(--c1); } .m3 { fill: var(--c2); }
        #subtitle { color: var(--soft); font-size: 13px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
        nav { display: flex; gap: 2px; overflow-x: auto; scrollbar-width: none; }
        nav a { color: var(--soft); text-decoration: none; padding: 6px 10px; border-radius: 8px; font-size: 14px; white-space: nowrap; }
        nav a:hover { color: var(--text); background: var(--faint); }
        button, select, input { font: inherit; color: inherit; }
        button { cursor: pointer; }
        .ghost { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 6px 10px; min-height: 36px; font-size: 14px; }
        .ghost:hover { border-color: var(--soft); }
        #theme { flex: none; width: 38px; padding: 6px 0; text-align: center; }

        .cards { display: grid; grid-template-columns: repeat(4, 1fr); gap: 14px; margin-top: 28px; }
        .figure { padding: 16px 18px; }
        .figure .name { color: var(--soft); font-size: 13px; }
        .figure .value { font-size: 26px; line-height: 1.25; font-weight: 680; letter-spacing: -.02em; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
        .figure .note { color: var(--soft); font-size: 13px; margin-top: 2px; overflow-wrap: anywhere; }
        .up { color: var(--bad); } .down { color: var(--good); }

        .findings { display: grid; gap: 12px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 380px), 1fr)); list-style: none; padding: 0; margin: 16px 0 0; }
        .finding { padding: 16px 18px; display: flex; flex-direction: column; gap: 6px; border-left-width: 4px; min-width: 0; }
        .finding.warn { border-left-color: var(--warn); } .finding.bad { border-left-color: var(--bad); }
        .finding.note { border-left-color: var(--accent); } .finding.good { border-left-color: var(--good); }
        .finding p { color: var(--soft); overflow-wrap: anywhere; }
        .finding h3 { margin: 0; overflow-wrap: anywhere; }
        .tag { display: inline-block; font-size: 12px; font-weight: 600; padding: 1px 8px; border-radius: 99px; margin-bottom: 4px; align-self: flex-start; }
        .tag.warn { color: var(--warn); background: var(--warn-soft); } .tag.bad { color: var(--bad); background: var(--bad-soft); }
        .tag.note { color: var(--accent); background: var(--accent-soft); } .tag.good { color: var(--good); background: var(--good-soft); }
        .command { display: flex; gap: 8px; align-items: flex-start; background: var(--faint); border-radius: 8px; padding: 4px 4px 4px 10px; margin-top: auto; min-width: 0; }
        .command code { white-space: pre-wrap; overflow-wrap: anywhere; flex: 1; font-size: 12.5px; line-height: 1.45; padding: 4px 0; }
        .command button { flex: none; border: 0; background: transparent; border-radius: 6px; padding: 4px 8px; font-size: 13px; color: var(--accent); min-height: 32px; }
        .command button:hover { background: var(--card); }

        .tools { display: flex; flex-wrap: wrap; gap: 10px; align-items: center; padding: 12px 14px; border-bottom: 1px solid var(--line); }
        .grow { flex: 1; }
        .seg { display: inline-flex; background: var(--faint); border-radius: 9px; padding: 3px; gap: 2px; flex-wrap: wrap; }
        .seg button { border: 0; background: transparent; border-radius: 7px; padding: 4px 11px; font-size: 14px; color: var(--soft); min-height: 32px; }
        .seg button[aria-pressed="true"] { background: var(--press); color: var(--text); box-shadow: 0 1px 3px rgba(0, 0, 0, .14); font-weight: 550; }
        input[type="search"], select { background: var(--bg); border: 1px solid var(--line); border-radius: 8px; padding: 6px 10px; min-height: 36px; font-size: 14px; }
        input[type="search"] { min-width: 0; flex: 1 1 200px; max-width: 340px; }

        .crumbs { display: flex; flex-wrap: wrap; align-items: center; gap: 4px; font-size: 14px; min-width: 0; flex: 1 1 240px; }
        .crumbs button { border: 0; background: transparent; padding: 4px 6px; border-radius: 6px; color: var(--accent); max-width: 100%; overflow: hidden; text-overflow: ellipsis; }
        .crumbs button:hover { background: var(--faint); }
        .crumbs .here { font-weight: 600; padding: 4px 6px; overflow-wrap: anywhere; }
        .crumbs .sep { color: var(--soft); }
        #treemap { display: block; width: 100%; border-radius: 0 0 12px 12px; touch-action: manipulation; }
        #treemap text { pointer-events: none; fill: var(--on); font-size: 12px; }
        #treemap .cell > rect { stroke: var(--card); stroke-width: 2; }
        #treemap .inner { stroke: var(--card); stroke-width: 1; }
        #treemap .cell { cursor: default; } #treemap .cell.zooms { cursor: zoom-in; }
        #treemap .cell:focus-visible { outline: none; }
        #treemap .cell:focus-visible > rect:first-child { stroke: var(--text); stroke-width: 3; }
        #treemap .cell:hover > rect:first-child, #treemap .inner:hover { filter: brightness(1.08); }
        #treemap .big { font-weight: 600; font-size: 13px; }
        #treemap .small { opacity: .86; font-size: 11.5px; }
        .hint { color: var(--soft); font-size: 13px; padding: 10px 14px; }

        .stack { display: flex; height: 30px; border-radius: 8px; overflow: hidden; gap: 2px; margin: 4px 0 14px; }
        .stack div { min-width: 3px; }
        .legend { display: flex; flex-wrap: wrap; gap: 6px 18px; font-size: 14px; margin: 0 0 16px; padding: 0; list-style: none; }
        .legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 7px; }
        .legend span { color: var(--soft); }
        .pad { padding: 16px 18px; }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 430px), 1fr)); gap: 16px; }
        .chart svg { display: block; width: 100%; height: auto; }
        .chart .axis { stroke: var(--line); } .chart text { fill: var(--soft); font-size: 11px; }
        .chart .column { fill: var(--c0); } .chart .column.empty { fill: none; }
        .chart g:hover .column, .chart g:focus-visible .column { fill: var(--c2); }
        .chart g:focus-visible { outline: none; }
        .chart .count { fill: var(--text); }

        .scroll { overflow-x: auto; }
        .scroll.tall { max-height: 560px; overflow-y: auto; border-radius: 0 0 12px 12px; }
        table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
        th, td { padding: 8px 12px; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--line); }
        tbody tr:last-child td { border-bottom: 0; }
        tbody tr:hover td { background: var(--faint); }
        th { font-weight: 550; color: var(--soft); font-size: 13px; position: sticky; top: 0; background: var(--card); z-index: 1; padding: 0; }
        th button { all: unset; box-sizing: border-box; cursor: pointer; padding: 9px 12px; width: 100%; white-space: nowrap; }
        th button:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; border-radius: 6px; }
        th button:hover { color: var(--text); }
        th.number button, td.number { text-align: right; }
        th[aria-sort="ascending"] button::after { content: " ▲"; font-size: 10px; }
        th[aria-sort="descending"] button::after { content: " ▼"; font-size: 10px; }
        td.text { white-space: normal; overflow-wrap: anywhere; min-width: 180px; max-width: 460px; }
        td .share { display: inline-block; width: 56px; height: 7px; border-radius: 4px; background: var(--faint); margin-left: 10px; vertical-align: 1px; overflow: hidden; }
        td .share i { display: block; height: 100%; background: var(--c0); border-radius: 4px; }
        .shown { color: var(--soft); font-size: 13px; }
        .none { padding: 20px; color: var(--soft); text-align: center; }
        .escape { color: var(--warn); }

        .rows { display: grid; gap: 7px; font-size: 14px; }
        .rows > div { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 6fr) 84px; gap: 0 12px; align-items: center; }
        .rows .label { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        .rows .both { position: relative; height: 18px; }
        .rows .both i { position: absolute; top: 3px; bottom: 3px; border-radius: 3px; min-width: 2px; }
        .rows .both b { position: absolute; top: 0; bottom: 0; width: 1px; background: var(--line); }
        .rows .plus { background: var(--bad); } .rows .minus { background: var(--good); }
        .rows .amount { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }

        #tip { position: fixed; z-index: 30; pointer-events: none; background: var(--text); color: var(--bg); padding: 8px 11px; border-radius: 8px; font-size: 13px; line-height: 1.4; max-width: min(340px, 90vw); overflow-wrap: anywhere; white-space: pre-line; box-shadow: 0 6px 24px rgba(0, 0, 0, .25); }
        footer { color: var(--soft); font-size: 13px; padding-top: 20px; padding-bottom: 40px; border-top: 1px solid var(--line); margin-top: 48px; }
        footer p { max-width: 90ch; margin-bottom: 8px; overflow-wrap: anywhere; }
        .gap { margin-top: 16px; }

        @media (max-width: 960px) { .cards { grid-template-columns: repeat(2, 1fr); } }
        @media (max-width: 720px) {
          .wrap { padding: 0 14px; }
          .bar { flex-wrap: wrap; gap: 6px 12px; padding-top: 8px; padding-bottom: 6px; }
          nav { order: 3; flex: 1 0 100%; margin: 0 -8px; }
          html { scroll-padding-top: 108px; }
          section { margin: 28px 0; }
          .cards { grid-template-columns: repeat(2, 1fr); gap: 10px; margin-top: 18px; }
          .figure { padding: 12px 14px; } .figure .value { font-size: 21px; }
          .rows > div { grid-template-columns: minmax(0, 1fr) auto; row-gap: 2px; }
          .rows .both { grid-column: 1 / -1; grid-row: 2; height: 12px; }
        }
        @media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
        @media print { .top { position: static; } nav, #theme, .tools { display: none; } .card { box-shadow: none; break-inside: avoid; } }

        """#
}
